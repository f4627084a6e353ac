"""Bulk writes: one bad item does not stop the others, and the whole can be shown again."""

from __future__ import annotations

from tests.builders.offline_coalition import OfflineCoalition, purchase_body


def test_one_bad_purchase_among_a_hundred_does_not_stop_the_others(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    items = [purchase_body(f"pay-{number}", member_id=member_id) for number in range(100)]
    items[41]["gross_minor"] = -5
    answer = coalition.post("brand:1", "/v1/purchases/bulk", {"purchases": items})
    assert answer.status_code == 202, answer.text
    shown = answer.json()
    assert (shown["accepted"], shown["refused"]) == (99, 1)
    bad = shown["results"][41]
    assert (bad["index"], bad["status"], bad["id"], bad["problem"]["code"]) == (41, "refused", None, "invalid")
    assert shown["results"][42]["id"] == "pay-42"
    assert coalition.row_counts()["purchases"] == 99
    assert coalition.get("brand:1", "/v1/purchases/pay-41").status_code == 404


def test_items_that_are_no_objects_and_refusals_of_the_business_leave_no_trace(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    items = [None, 7, "purchase", [], purchase_body("unknown-member", member_id="0x" + "77" * 20)]
    answer = coalition.post("brand:1", "/v1/purchases/bulk", {"purchases": items})
    assert [result["problem"]["status"] for result in answer.json()["results"]] == [422, 422, 422, 422, 404]
    counts = coalition.row_counts()
    assert (counts["purchases"], counts["purchase_lines"], counts["operations"] - 1) == (0, 0, 0)


def test_the_same_payment_twice_in_one_bulk_earns_once(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    items = [purchase_body(member_id=member_id), purchase_body(member_id=member_id), purchase_body(member_id=member_id, gross_minor=1)]
    results = coalition.post("brand:1", "/v1/purchases/bulk", {"purchases": items}).json()["results"]
    assert results[0]["operation"] == results[1]["operation"]
    assert results[2]["problem"]["code"] == "reference_reused"
    assert coalition.row_counts()["purchases"] == 1


def test_a_bulk_sent_again_shows_its_first_outcome(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = "0x" + "77" * 20
    body = {"purchases": [purchase_body("one"), purchase_body("two", member_id=member_id)]}
    first = coalition.post("brand:1", "/v1/purchases/bulk", body, Idempotency_Key="day-1")
    again = coalition.post("brand:1", "/v1/purchases/bulk", body, Idempotency_Key="day-1")
    assert first.json() == again.json()
    assert (first.status_code, again.status_code) == (201, 200)


def test_a_bulk_key_with_other_content_is_refused(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.post("brand:1", "/v1/purchases/bulk", {"purchases": [purchase_body("one")]}, Idempotency_Key="day-1")
    with coalition.no_trace():
        answer = coalition.post("brand:1", "/v1/purchases/bulk", {"purchases": [purchase_body("two")]}, Idempotency_Key="day-1")
        assert (answer.status_code, answer.json()["code"]) == (409, "reference_reused")


def test_the_limit_counts_what_the_same_bulk_accepted(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    member_id = coalition.shopper().member_id
    coalition.activate(1, outstanding=999_940)
    items = [purchase_body(f"pay-{number}", member_id=member_id) for number in range(4)]
    results = coalition.post("brand:1", "/v1/purchases/bulk", {"purchases": items}).json()["results"]
    assert [result["status"] for result in results] == ["accepted", "accepted", "refused", "refused"]


def test_more_than_a_thousand_items_or_none_are_refused(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    with coalition.no_trace():
        for count in (0, 1_001):
            answer = coalition.post("brand:1", "/v1/purchases/bulk", {"purchases": [purchase_body()] * count})
            assert answer.status_code == 422


def test_members_enroll_in_bulk_and_the_same_member_is_enrolled_once(coalition: OfflineCoalition) -> None:
    one = {"authorizer": {"kind": 1, "address": "0x" + "11" * 20}, "salt": "0x" + "01" * 32}
    bad = {"authorizer": {"kind": 9, "address": "0x" + "11" * 20}, "salt": "0x" + "01" * 32}
    answer = coalition.post("operator", "/v1/members/bulk", {"members": [one, bad, one]})
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["accepted", "refused", "accepted"]
    assert results[0]["id"] == results[2]["id"]
    assert coalition.members_stored() == 1
