"""Who may call what: every route refuses every role that it is not for, and nothing opens without a key."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute

from gateway.app import ROUTERS
from tests.builders.offline_coalition import START, OfflineCoalition, purchase_body

ALL = frozenset({"operator", "brand", "auditor"})
OPERATOR = frozenset({"operator"})
BRAND = frozenset({"brand"})
STAFF = frozenset({"operator", "auditor"})
OPERATOR_OR_BRAND = frozenset({"operator", "brand"})
PAGES = frozenset({"get_api_description", "get_api_reference", "get_member_page", "get_portal_style"})
OPEN = PAGES | {"get_admission_criteria", "get_checkpoints", "get_coalition", "get_liveness", "get_readiness"}

ROLES = {
    "create_brand": OPERATOR,
    "get_brands": ALL,
    "get_brand": ALL,
    "create_rule": OPERATOR_OR_BRAND,
    "get_rules": ALL,
    "put_brand_rule_in_force": BRAND,
    "change_brand_terms": ALL,
    "change_brand_limit": OPERATOR,
    "change_brand_status": OPERATOR,
    "change_brand_key": ALL,
    "change_exposure": ALL,
    "change_brand_settings": OPERATOR_OR_BRAND,
    "probe_brand_signer": OPERATOR_OR_BRAND,
    "create_opening_file": BRAND,
    "get_opening_file": ALL,
    "get_opening_lines": ALL,
    "create_brand_api_key": OPERATOR_OR_BRAND,
    "delete_brand_api_key": OPERATOR_OR_BRAND,
    "create_staff_api_key": OPERATOR,
    "delete_staff_api_key": OPERATOR,
    "create_member": OPERATOR_OR_BRAND,
    "create_members": OPERATOR_OR_BRAND,
    "get_member_points": ALL,
    "get_member_history": ALL,
    "create_authorizer_change": OPERATOR_OR_BRAND,
    "create_execution": OPERATOR_OR_BRAND,
    "create_grant": OPERATOR_OR_BRAND,
    "create_guardian": OPERATOR_OR_BRAND,
    "create_recovery": OPERATOR_OR_BRAND,
    "create_removal": OPERATOR_OR_BRAND,
    "create_spend_lock": OPERATOR_OR_BRAND,
    "create_unlock": OPERATOR_OR_BRAND,
    "create_veto": OPERATOR_OR_BRAND,
    "get_member_standing": ALL,
    "create_view_link": OPERATOR_OR_BRAND,
    "create_purchase": BRAND,
    "create_purchases": BRAND,
    "get_purchase": ALL,
    "create_payment_refund": BRAND,
    "create_payment_refunds": BRAND,
    "create_refund_failure": BRAND,
    "get_payment_refund": ALL,
    "retry": OPERATOR_OR_BRAND,
    "create_quote": BRAND,
    "create_authorization": BRAND,
    "create_authorizations": BRAND,
    "get_authorization": ALL,
    "create_capture": BRAND,
    "create_captures": BRAND,
    "create_void": BRAND,
    "create_point_refund": BRAND,
    "create_redemption": BRAND,
    "create_redemptions": BRAND,
    "create_transfer_quote": BRAND,
    "create_transfer": BRAND,
    "get_transfer": ALL,
    "get_operations": ALL,
    "get_operation": ALL,
    "create_expiry_run": OPERATOR,
    "get_expiry_runs": ALL,
    "get_expiry_run": ALL,
    "get_pending_acts": ALL,
    "create_approval": ALL,
    "set_admission_criteria": OPERATOR,
    "get_brand_admission": ALL,
    "create_owner_veto": ALL,
    "propose_approvers": OPERATOR,
    "propose_guardian": OPERATOR,
    "propose_operator": OPERATOR,
    "propose_delay": OPERATOR,
    "propose_pause_rearming": OPERATOR,
    "begin_run_off": OPERATOR,
    "propose_succession": OPERATOR,
    "hand_over_brand": ALL,
    "create_brand_document": ALL,
    "get_brand_documents": ALL,
    "get_clearing": ALL,
    "create_column_mapping": BRAND,
    "get_column_mapping": BRAND,
    "get_payouts": ALL,
    "create_payment_file": BRAND,
    "get_payment_file": ALL,
    "get_line_errors": ALL,
    "create_reconciliation": OPERATOR_OR_BRAND,
    "get_reconciliation": ALL,
    "get_breaks": ALL,
    "create_checkpoint": ALL,
    "get_operation_receipt": ALL,
    "get_member_receipt": ALL,
    "get_audit": STAFF,
    "get_health": OPERATOR,
}
ROUTES = {route.name: route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)}
IDS = {
    "brand_id": "1",
    "version": "1",
    "member_id": "0x" + "11" * 20,
    "reservation_id": "0x" + "22" * 32,
    "transfer_id": "0x" + "23" * 32,
    "key_id": "none",
    "payment_id": "none",
    "refund_id": "none",
    "operation_id": "none",
    "payment_file_id": "none",
    "opening_file_id": "none",
    "reconciliation_id": "none",
    "name": "none",
    "day": "2017-04-01",
}


def _path(route: APIRoute) -> str:
    return re.sub(r"{(\w+)(?::path)?}", lambda found: IDS[found[1]], route.path)


def test_the_table_names_every_route() -> None:
    assert set(ROUTES) - OPEN == set(ROLES)


@pytest.fixture
def ready(coalition: OfflineCoalition) -> OfflineCoalition:
    coalition.brand(1)
    coalition.brand(2)
    coalition.tokens["brand"] = coalition.tokens["brand:1"]
    return coalition


def test_every_route_refuses_every_wrong_role(ready: OfflineCoalition) -> None:
    with ready.no_trace():
        for name, roles in ROLES.items():
            for role in ALL - roles:
                for method in ROUTES[name].methods:
                    answer = ready.call(role, method, _path(ROUTES[name]), {} if method == "POST" else None)
                    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted"), (name, role)


def test_every_route_lets_the_right_roles_pass(ready: OfflineCoalition) -> None:
    for name, roles in ROLES.items():
        if name == "get_audit":
            continue
        for role in roles:
            for method in ROUTES[name].methods:
                answer = ready.call(role, method, _path(ROUTES[name]), {} if method == "POST" else None)
                assert answer.status_code not in (401, 403), (name, role, answer.text)


def test_every_route_refuses_a_call_without_a_good_key(ready: OfflineCoalition) -> None:
    key_id = ready.tokens["operator"].partition(".")[0]
    bad = [None, "Bearer ", "Bearer nothing", f"Bearer {key_id}.wrong", f"Bearer {key_id}", f"Bearer {key_id}.", "Basic b3A6b3A="]
    with ready.no_trace():
        for name in ROLES:
            for method in ROUTES[name].methods:
                headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
                answer = ready.client.request(method, _path(ROUTES[name]), headers=headers, content="{}")
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), name
        for header in bad:
            answer = ready.client.get("/v1/brands", headers={} if header is None else {"Authorization": header})
            assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated"), header


def test_a_revoked_key_opens_nothing(ready: OfflineCoalition) -> None:
    made = ready.post("brand:1", "/v1/brands/1/api-keys", {"label": "till"}).json()
    ready.tokens["till"] = made["token"]
    assert ready.get("till", "/v1/brands").status_code == 200
    assert ready.call("operator", "DELETE", f"/v1/brands/1/api-keys/{made['key_id']}").json()["revoked_at"] is not None
    assert ready.get("till", "/v1/brands").status_code == 401


def test_a_brand_neither_makes_nor_revokes_keys_nor_rules_of_another(ready: OfflineCoalition) -> None:
    key_id = ready.tokens["brand:2"].partition(".")[0]
    with ready.no_trace():
        assert ready.post("brand:1", "/v1/brands/2/api-keys", {"label": "x"}).status_code == 404
        assert ready.call("brand:1", "DELETE", f"/v1/brands/2/api-keys/{key_id}").status_code == 404
        assert ready.call("brand:1", "DELETE", f"/v1/brands/1/api-keys/{key_id}").status_code == 404
        assert ready.post("brand:1", "/v1/brands/2/rules", {"points": 1, "per_minor": 1}).status_code == 404
    assert ready.get("brand:2", "/v1/brands").status_code == 200


def test_a_brand_sees_its_own_purchases_and_operations_alone(ready: OfflineCoalition) -> None:
    member_id = ready.shopper().member_id
    operation = ready.post("brand:1", "/v1/purchases", purchase_body(member_id=member_id)).json()["operation"]
    assert ready.get("brand:1", f"/v1/operations/{operation['operation_id']}").json() == operation
    assert ready.get("brand:2", f"/v1/operations/{operation['operation_id']}").status_code == 404
    assert ready.get("brand:2", "/v1/purchases/pay-1").status_code == 404
    assert ready.get("brand:2", "/v1/purchases/pay-1?brand_id=1").status_code == 404
    assert ready.get("auditor", "/v1/purchases/pay-1?brand_id=1").status_code == 200
    assert {one["brand_id"] for one in ready.get("brand:2", "/v1/operations").json()["operations"]} == {2}
    assert ready.get("brand:2", f"/v1/members/{member_id}/points").status_code == 200, "partners of the coalition read points"


def test_secrets_are_kept_as_hashes_and_shown_once(ready: OfflineCoalition) -> None:
    token = ready.post("operator", "/v1/brands/1/api-keys", {"label": "till"}).json()["token"]
    secret = token.partition(".")[2]
    with ready.database.read() as session:
        kept = session.connection().exec_driver_sql("SELECT * FROM api_keys").all()
    assert secret not in str(kept)
    shown = ready.get("operator", "/v1/brands/1").text + ready.get("operator", "/v1/brands").text
    assert "t" * 32 not in shown, "the signer's token stays inside"
    assert "01" * 32 not in shown, "the reference secret stays inside"


def test_privileged_actions_are_recorded_with_who_did_them(ready: OfflineCoalition) -> None:
    ready.post("operator", "/v1/brands/1/limit", {"issue_limit": 5})
    ready.post("brand:1", "/v1/brands/1/rules", {"points": 2, "per_minor": 100})
    ready.post("operator", "/v1/expiry-runs", {})
    with ready.database.read() as session:
        rows = session.connection().exec_driver_sql("SELECT principal, action, subject, at FROM privileged_actions").all()
    found = [(principal.partition("/")[0], action, subject.partition(":")[0], at) for principal, action, subject, at in rows]
    assert found[-3:] == [
        ("operator", "set_brand_limit", "brand", START),
        ("brand:1", "publish_rule", "brand", START),
        ("operator", "run_expiry", "expiry-run", START),
    ]
