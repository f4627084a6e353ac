"""Every write happens once: the same idempotency key is the same resource, and a business reference holds beyond it."""

from __future__ import annotations

import threading

import pytest

from gateway.app import create_app
from tests.builders.offline_coalition import ACT_OPERATION, SUCCESSION_OPERATION, OfflineCoalition, purchase_body
from tests.gateway.api.every_write import BULK, WITHOUT_REFERENCE, WRITES, make_ready
from tests.gateway.api.member_writes import MEMBER_ID


def test_every_write_of_the_api_is_in_the_table(coalition: OfflineCoalition) -> None:
    paths = create_app(coalition.context).openapi()["paths"]
    ours = {
        path
        for path in paths
        if not path.startswith(("/v1/column-mappings", "/v1/payment-files", "/v1/opening-files", "/v1/reconciliations"))
    }
    no_resources = {"/v1/quotes", "/v1/transfer-quotes", "/v1/members/{member_id}/view-links", "/v1/operations/{operation_id}/retry"}
    no_resources.add("/v1/brands/{brand_id}/signer-probe")
    writes = {path for path in ours if "post" in paths[path]} - no_resources
    tested = set()
    for write in WRITES.values():
        path = (
            write.path.replace(ACT_OPERATION, "{operation_id}")
            .replace(MEMBER_ID, "{member_id}")
            .replace(SUCCESSION_OPERATION, "{operation_id}")
            .replace("/refunded/", "/{refund_id}/")
            .replace("/rules/1/", "/rules/{version}/")
        )
        parts = path.split("/")
        tested.add("/".join("{brand_id}" if part == "1" else "{reservation_id}" if part.startswith("0x") else part for part in parts))
    assert writes == tested


@pytest.mark.parametrize("name", WRITES)
def test_the_same_key_and_content_is_the_same_resource_and_other_content_is_refused(coalition: OfflineCoalition, name: str) -> None:
    ready, write = make_ready(coalition), WRITES[name]
    first = coalition.post(write.who, write.path, write.body(ready), Idempotency_Key="once")
    assert first.status_code in (201, 202), first.text
    with coalition.no_trace():
        again = coalition.post(write.who, write.path, write.body(ready), Idempotency_Key="once")
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.status_code == (202 if first.status_code == 202 else 200)
        assert {**again.json(), "token": None} == {**first.json(), "token": None}
    with coalition.no_trace():
        other = coalition.post(write.who, write.path, write.other(ready), Idempotency_Key="once")
        assert other.json()["code"] == ("invalid" if name in ("expiry run", "pause rearming") else "reference_reused")


@pytest.mark.parametrize("name", [name for name in WRITES if name not in WITHOUT_REFERENCE])
def test_a_business_reference_holds_under_another_key(coalition: OfflineCoalition, name: str) -> None:
    ready, write = make_ready(coalition), WRITES[name]
    first = coalition.post(write.who, write.path, write.body(ready))
    assert first.status_code in (201, 202), first.text
    bookkeeping = ("idempotent_requests", "bulk_results") if name in BULK else ("idempotent_requests",)
    with coalition.no_trace_but(*bookkeeping):
        assert coalition.post(write.who, write.path, write.body(ready)).json() == first.json()
    if name in BULK:
        with coalition.no_trace_but(*bookkeeping):
            results = coalition.post(write.who, write.path, write.other(ready)).json()["results"]
            if name != "members":
                assert [result["problem"]["code"] for result in results] == ["reference_reused"]
        return
    with coalition.no_trace():
        answer = coalition.post(write.who, write.path, write.other(ready))
        assert (answer.status_code, answer.json()["code"]) == (409, "reference_reused")


@pytest.mark.parametrize("name", WRITES)
def test_a_write_without_an_idempotency_key_is_refused(coalition: OfflineCoalition, name: str) -> None:
    ready, write = make_ready(coalition), WRITES[name]
    headers = {"Authorization": f"Bearer {coalition.tokens[write.who]}"}
    with coalition.no_trace():
        assert coalition.client.post(write.path, json=write.body(ready), headers=headers).status_code == 422
        for key in ("", "k" * 129, "two words"):
            assert coalition.post(write.who, write.path, write.body(ready), Idempotency_Key=key).status_code == 422


def test_two_principals_may_use_the_same_key(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.brand(2)
    answers = [
        coalition.post(f"brand:{brand}", "/v1/purchases", purchase_body(store=str(brand)), Idempotency_Key="same") for brand in (1, 2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]


def test_a_key_holds_on_when_the_brands_api_key_changes(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    first = coalition.post("brand:1", "/v1/purchases", purchase_body(), Idempotency_Key="same")
    coalition.tokens["brand:1"] = coalition.post("operator", "/v1/brands/1/api-keys", {"label": "new"}).json()["token"]
    again = coalition.post("brand:1", "/v1/purchases", purchase_body(), Idempotency_Key="same")
    assert (again.status_code, again.json()) == (200, first.json())


def test_many_at_once_with_the_same_key_make_one_resource(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    body = purchase_body(member_id=member_id)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(coalition.post("brand:1", "/v1/purchases", body, Idempotency_Key="same")))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.json()["operation"]["operation_id"] for answer in answers}) == 1
    assert coalition.row_counts()["purchases"] == 1


def test_a_caller_that_waits_is_told_as_soon_as_the_operation_is_on_the_ledger(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    body = purchase_body(member_id=coalition.shopper().member_id)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(coalition.post("brand:1", "/v1/purchases", body, Prefer="wait=60")))
    waiting.start()
    found = _open_operation(coalition)
    while found is None:
        found = _open_operation(coalition)
    coalition.finish(found)
    waiting.join(30)
    assert (answers[0].status_code, answers[0].json()["operation"]["status"]) == (201, "confirmed")
    assert answers[0].headers["Preference-Applied"] == "wait=60"


@pytest.mark.parametrize("prefer", ["wait=-1", "wait=", "wait=1.5", "wait=soon"])
def test_a_preference_that_is_no_number_of_seconds_is_refused(coalition: OfflineCoalition, prefer: str) -> None:
    coalition.brand(1)
    with coalition.no_trace():
        assert coalition.post("brand:1", "/v1/purchases", purchase_body(), Prefer=prefer).status_code == 422


def _open_operation(coalition: OfflineCoalition) -> str | None:
    shown = coalition.get("brand:1", "/v1/operations?status=accepted").json()["operations"]
    return shown[0]["operation_id"] if shown else None
