"""Brands over HTTP: registration, rules, and changes of what the ledger holds of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.offline_coalition import START, OfflineCoalition, brand_body
from tests.gateway.api.every_write import OWNER, TERMS


def test_a_brand_is_pending_until_its_registration_is_on_the_ledger(coalition: OfflineCoalition) -> None:
    answer = coalition.post("operator", "/v1/brands", brand_body(5))
    assert answer.status_code == 202, answer.text
    assert (answer.json()["brand"]["status"], answer.json()["operation"]["kind"]) == ("pending", "register_brand")
    coalition.activate(5, outstanding=30)
    shown = coalition.get("brand:5" if "brand:5" in coalition.tokens else "operator", "/v1/brands/5").json()
    assert (shown["status"], shown["points"]["outstanding"]) == ("active", 30)


def test_a_brand_without_an_id_gets_the_next_one(coalition: OfflineCoalition) -> None:
    coalition.brand(4)
    body = brand_body(9)
    del body["brand_id"]
    assert coalition.post("operator", "/v1/brands", body).json()["brand"]["brand_id"] == 5


BAD = {
    "zero id": {"brand_id": 0},
    "an id that fits no lot": {"brand_id": 2**31},
    "no name": {"name": ""},
    "a long name": {"name": "n" * 81},
    "negative limit": {"issue_limit": -1},
    "huge limit": {"issue_limit": 2**63},
    "float limit": {"issue_limit": 1.0},
    "zero par": {"par": {"numerator": 0, "denominator": 1}},
    "division by zero": {"redemption": {"numerator": 1, "denominator": 0}},
    "no address": {"key_address": "0x12"},
    "a file as signer": {"signer_url": "file:///etc/passwd"},
    "short secret": {"reference_secret": "0x1234"},
    "short token": {"signer_token": "secret"},
    "too many months": {"lot_validity_months": 121},
    "negative months": {"lot_validity_months": -1},
    "yes for true": {"earn_on_tax": "yes"},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_a_bad_registration_is_refused_and_leaves_no_trace(coalition: OfflineCoalition, changes: dict[str, Any]) -> None:
    with coalition.no_trace():
        answer = coalition.post("operator", "/v1/brands", {**brand_body(1), **changes})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text


def test_an_id_or_name_is_registered_once(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    with coalition.no_trace():
        assert coalition.post("operator", "/v1/brands", brand_body(1, name="Other")).json()["code"] == "wrong_state"
        assert coalition.post("operator", "/v1/brands", brand_body(2, name="Brand 1")).json()["code"] == "wrong_state"


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("terms", TERMS, "set_brand_terms"),
        ("limit", {"issue_limit": 12}, "set_brand_limit"),
        ("status", {"status": "suspended"}, "set_brand_status"),
        ("keys", {"key_address": "0x" + "AB" * 20, "valid_from": 5, "valid_until": 9, "owner": OWNER}, "set_brand_key"),
    ],
)
def test_a_change_of_a_brand_is_an_operation_of_the_operator(coalition: OfflineCoalition, path: str, body: Any, kind: str) -> None:
    coalition.brand(1)
    answer = coalition.post("operator", f"/v1/brands/1/{path}", body)
    assert (answer.status_code, answer.json()["kind"], answer.json()["brand_id"]) == (202, kind, 1)
    with coalition.no_trace():
        assert coalition.post("operator", f"/v1/brands/9/{path}", body).status_code == 404


def test_what_is_not_on_the_ledger_cannot_be_changed_there(coalition: OfflineCoalition) -> None:
    coalition.post("operator", "/v1/brands", brand_body(1))
    with coalition.no_trace():
        answer = coalition.post("operator", "/v1/brands/1/limit", {"issue_limit": 1})
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_rules_are_versions_that_never_begin_before_their_forerunner(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    later = {"points": 2, "per_minor": 100, "valid_from": "2017-05-01T00:00:00Z"}
    assert coalition.post("brand:1", "/v1/brands/1/rules", later).json()["version"] == 2
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/brands/1/rules", {"points": 3, "per_minor": 100})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        for bad in ({"points": -1, "per_minor": 1}, {"points": 1, "per_minor": 0}, {"points": 1.5, "per_minor": 1}):
            assert coalition.post("brand:1", "/v1/brands/1/rules", bad).status_code == 422
    rules = coalition.get("brand:1", "/v1/brands/1").json()["rules"]
    assert [(rule["version"], rule["valid_from"]) for rule in rules] == [(1, "1970-01-01T00:00:00Z"), (2, "2017-05-01T00:00:00Z")]


def test_the_expiry_run_takes_each_expired_lot_once(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    coalition.put_points(member_id, 30, months=1, reserved=10)
    coalition.put_points(member_id, 50, months=6)
    early = coalition.post("operator", "/v1/expiry-runs", {})
    assert (early.status_code, early.json()["operations"]) == (201, [])
    coalition.move_time(START + 47 * 86_400)
    run = coalition.post("operator", "/v1/expiry-runs", {}).json()
    assert [(one["kind"], one["points"], one["member_id"]) for one in run["operations"]] == [("expire", 20, member_id)]
    assert coalition.post("operator", "/v1/expiry-runs", {}).json()["operations"] == []
    points = coalition.get("brand:1", f"/v1/members/{member_id}/points").json()
    assert (points["available"], points["expired"], points["reserved"]) == (50, 20, 10)


def test_clearing_sums_to_zero_and_shows_what_rounding_left_over(coalition: OfflineCoalition) -> None:
    for brand in (1, 2, 3):
        coalition.brand(brand)
    with coalition.database.write() as session:
        run = session.connection().exec_driver_sql
        run("UPDATE ledger_brand_terms SET par_numerator = 2, par_denominator = 3 WHERE brand_id = 1")
        run("INSERT INTO ledger_owed (issuer_id, acceptor_id, points) VALUES (1, 2, 100), (2, 1, 30), (1, 3, 7), (3, 3, 99), (3, 1, 0)")
    shown = coalition.get("brand:2", "/v1/clearing").json()
    fields = ("issuer_id", "acceptor_id", "points", "amount_minor", "remainder_numerator")
    assert [tuple(one[field] for field in fields) for one in shown["owed"]] == [
        (1, 2, 100, 66, 2),
        (1, 3, 7, 4, 2),
        (2, 1, 30, 30, 0),
    ]
    assert [(one["brand_id"], one["points"], one["amount_minor"]) for one in shown["net"]] == [(1, -77, -40), (2, 70, 36), (3, 7, 4)]


def test_operations_are_listed_newest_first_page_by_page(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    for number in range(5):
        coalition.post("operator", "/v1/brands/1/limit", {"issue_limit": number})
    seen, cursor = [], ""
    while True:
        page = coalition.get("brand:1", f"/v1/operations?status=accepted&limit=2{cursor}").json()
        seen += [one["operation_id"] for one in page["operations"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5


def test_operations_are_listed_by_their_ids_and_a_brand_sees_its_own(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.brand(2)
    made = [coalition.post("operator", f"/v1/brands/{1 + n % 2}/limit", {"issue_limit": n}).json()["operation_id"] for n in range(60)]
    asked = "&".join(f"operation_id={one}" for one in [*made, "none"])
    for brand_id in (1, 2):
        found = coalition.get(f"brand:{brand_id}", f"/v1/operations?{asked}").json()
        assert [one["operation_id"] for one in found["operations"]] == [*reversed(made[brand_id - 1 :: 2])]
        assert found["next_cursor"] is None
    assert len(coalition.get("operator", f"/v1/operations?{asked}").json()["operations"]) == 60
    too_many = "&".join(f"operation_id={number}" for number in range(201))
    assert coalition.get("brand:1", f"/v1/operations?{too_many}").json()["code"] == "invalid"
