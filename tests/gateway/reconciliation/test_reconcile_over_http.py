"""A brand reconciled over HTTP: purchases, refunds and entries in the database on one side, an imported file on the other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.offline_coalition import START, OfflineCoalition, purchase_body
from tests.builders.payment_files import send, stripe_file, stripe_row
from tests.builders.recorded_entries import record_clawback, record_issue

CUT_OFF = "2017-03-25"


def buy(coalition: OfflineCoalition, *payment_ids: str, issued: bool = True, **changes: Any) -> None:
    shopper = coalition.shopper(len(payment_ids) + 10 * coalition.members_stored())
    for payment_id in payment_ids:
        answer = coalition.post("brand:1", "/v1/purchases", purchase_body(payment_id, member_id=shopper.member_id, **changes))
        assert answer.status_code == 202, answer.text
        if issued:
            record_issue(coalition, payment_id)


def pay_back(coalition: OfflineCoalition, refund_id: str, payment_id: str, minor: int) -> str:
    body = {"refund_id": refund_id, "payment_id": payment_id, "amount_minor": minor}
    when = {"occurred_at": "2017-03-16T00:30:00+00:00", "business_date": "2017-03-16"}
    answer = coalition.post("brand:1", "/v1/payment-refunds", body | when)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["operation"]["operation_id"])


def reconcile(coalition: OfflineCoalition, cut_off: str = CUT_OFF) -> dict[str, Any]:
    answer = coalition.post("brand:1", "/v1/reconciliations", {"cut_off_date": cut_off})
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def breaks_of(coalition: OfflineCoalition, run: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    page = coalition.get("brand:1", f"/v1/reconciliations/{run['reconciliation_id']}/breaks").json()
    return [(one["kind"], one["payment_id"], one["provider_record_id"]) for one in page["breaks"]]


@pytest.fixture
def one_of_each(coalition: OfflineCoalition) -> OfflineCoalition:
    """Good, missing, late, duplicated, wrong amount, refund never reported, unknown payment, points missing."""
    buy(coalition, "good", "missing", "late", "twice", "amount", "returned")
    buy(coalition, "pointless", issued=False)
    rows = [
        stripe_row(1, "good"),
        stripe_row(2, "late", on="2017-03-20"),
        stripe_row(3, "twice"),
        stripe_row(3, "twice"),
        stripe_row(4, "amount", "24.00"),
        stripe_row(5, "returned"),
        stripe_row(6, "returned", "-5.00", "refund"),
        stripe_row(7, "stranger"),
        stripe_row(8, "pointless"),
        stripe_row(9, "", "-199.00", "payout", on="2017-03-17"),
    ]
    assert send(coalition, "brand:1", stripe_file(*rows), "file").status_code == 201
    return coalition


def test_each_break_is_named_once_and_nothing_else_is(one_of_each: OfflineCoalition) -> None:
    run = reconcile(one_of_each)
    assert sorted(breaks_of(one_of_each, run)) == [
        ("duplicated", "twice", "txn_3"),
        ("late", "late", "txn_2"),
        ("missing", "missing", None),
        ("points_missing", "pointless", "txn_8"),
        ("refund_not_clawed_back", "returned", "txn_6"),
        ("unexpected", "stranger", "txn_7"),
        ("wrong_amount", "amount", "txn_4"),
    ]
    assert run["summary"]["breaks"] == {
        "duplicated": 1,
        "late": 1,
        "missing": 1,
        "points_missing": 1,
        "refund_not_clawed_back": 1,
        "unexpected": 1,
        "wrong_amount": 1,
        "wrong_currency": 0,
    }
    assert (run["summary"]["records"], run["summary"]["matches"]) == (10, {"charge": 5, "refund": 0})


def test_running_again_on_the_same_data_gives_the_same_result(one_of_each: OfflineCoalition) -> None:
    first, second = reconcile(one_of_each), reconcile(one_of_each)
    assert first["reconciliation_id"] != second["reconciliation_id"]
    assert first["summary"] == second["summary"]
    assert breaks_of(one_of_each, first) == breaks_of(one_of_each, second)
    assert one_of_each.row_counts()["breaks"] == 14


def test_the_same_request_again_is_the_first_run_again(one_of_each: OfflineCoalition) -> None:
    body = {"cut_off_date": CUT_OFF}
    first = one_of_each.post("brand:1", "/v1/reconciliations", body, Idempotency_Key="k")
    with one_of_each.no_trace():
        again = one_of_each.post("brand:1", "/v1/reconciliations", body, Idempotency_Key="k")
    assert (again.status_code, again.json()) == (200, first.json())


def test_breaks_come_page_by_page_and_by_kind(one_of_each: OfflineCoalition) -> None:
    run = reconcile(one_of_each)
    path = f"/v1/reconciliations/{run['reconciliation_id']}/breaks"
    found, cursor = [], ""
    while cursor is not None:
        page = one_of_each.get("brand:1", f"{path}?limit=3{cursor and '&cursor=' + cursor}").json()
        found += [one["break_number"] for one in page["breaks"]]
        cursor = page["next_cursor"]
    assert found == [1, 2, 3, 4, 5, 6, 7]
    assert [one["kind"] for one in one_of_each.get("brand:1", f"{path}?kind=late").json()["breaks"]] == ["late"]
    assert one_of_each.get("brand:1", f"{path}?kind=early").status_code == 422
    assert one_of_each.get("brand:1", f"{path}?cursor=zzz").status_code == 422


def test_a_payout_is_rebuilt_from_its_rows_with_one_remainder(one_of_each: OfflineCoalition) -> None:
    run = reconcile(one_of_each)
    (payout,) = one_of_each.get("brand:1", f"/v1/reconciliations/{run['reconciliation_id']}/payouts").json()
    assert (payout["payout_minor"], payout["charges_minor"], payout["refunds_minor"], payout["remainder_minor"]) == (
        19900,
        17400,
        -500,
        3000,
    )
    assert payout["remainder_label"] == "rows of this payout that are not in the files"


def test_what_lies_after_the_cut_off_is_left_for_the_next_run(one_of_each: OfflineCoalition) -> None:
    run = reconcile(one_of_each, "2017-03-15")
    assert breaks_of(one_of_each, run) == []
    assert (run["summary"]["records"], run["summary"]["purchases_not_due"]) == (0, 7)


def test_a_reported_refund_is_done_once_its_clawback_is_on_the_ledger(coalition: OfflineCoalition) -> None:
    buy(coalition, "returned")
    send(coalition, "brand:1", stripe_file(stripe_row(1, "returned"), stripe_row(2, "returned", "-5.00", "refund")), "file")
    assert breaks_of(coalition, reconcile(coalition)) == [("refund_not_clawed_back", "returned", "txn_2")]
    pay_back(coalition, "R", "returned", 500)
    assert breaks_of(coalition, reconcile(coalition)) == [("refund_not_clawed_back", "returned", "txn_2")]
    record_clawback(coalition, "R")
    assert breaks_of(coalition, reconcile(coalition)) == []


@pytest.mark.parametrize(("reason", "found"), [("nothing_left_to_claw_back", 0), ("signer_refused: unknown refund", 1)])
def test_only_a_clawback_written_off_counts_as_done_without_an_entry(coalition: OfflineCoalition, reason: str, found: int) -> None:
    buy(coalition, "returned")
    send(coalition, "brand:1", stripe_file(stripe_row(1, "returned"), stripe_row(2, "returned", "-5.00", "refund")), "file")
    coalition.finish(pay_back(coalition, "R", "returned", 500), "refused", reason)
    assert len(breaks_of(coalition, reconcile(coalition))) == found


def test_an_issue_the_ledger_refused_leaves_points_missing_with_the_reason(coalition: OfflineCoalition) -> None:
    buy(coalition, "paid", issued=False)
    record_issue(coalition, "paid", refused="LimitExceeded")
    send(coalition, "brand:1", stripe_file(stripe_row(1, "paid")), "file")
    run = reconcile(coalition)
    (found,) = coalition.get("brand:1", f"/v1/reconciliations/{run['reconciliation_id']}/breaks").json()["breaks"]
    assert (found["kind"], found["age_days"]) == ("points_missing", 9)
    assert "refused (LimitExceeded)" in found["detail"]


def test_records_of_a_refused_file_are_not_looked_at(coalition: OfflineCoalition) -> None:
    buy(coalition, "paid")
    assert send(coalition, "brand:1", stripe_file(stripe_row(1, "paid")), "file", expected_rows=9).status_code == 422
    assert breaks_of(coalition, reconcile(coalition)) == [("missing", "paid", None)]


def test_another_brands_records_and_reconciliations_do_not_exist(coalition: OfflineCoalition) -> None:
    buy(coalition, "paid")
    send(coalition, "brand:2", stripe_file(stripe_row(1, "paid")), "file")
    run = reconcile(coalition)
    assert breaks_of(coalition, run) == [("missing", "paid", None)]
    for path in ("", "/breaks", "/payouts"):
        assert coalition.get("brand:2", f"/v1/reconciliations/{run['reconciliation_id']}{path}").status_code == 404
        assert coalition.get("auditor", f"/v1/reconciliations/{run['reconciliation_id']}{path}").status_code == 200


@pytest.mark.parametrize(
    ("who", "body", "status"),
    [
        ("operator", {"cut_off_date": CUT_OFF, "brand_id": 1}, 201),
        ("operator", {"cut_off_date": CUT_OFF}, 422),
        ("operator", {"cut_off_date": CUT_OFF, "brand_id": 9}, 404),
        ("brand:1", {"cut_off_date": CUT_OFF, "brand_id": 1}, 201),
        ("brand:1", {"cut_off_date": CUT_OFF, "brand_id": 2}, 404),
        ("brand:1", {"cut_off_date": "2017-02-30"}, 422),
        ("brand:1", {"cut_off_date": START}, 422),
        ("brand:1", {}, 422),
        ("auditor", {"cut_off_date": CUT_OFF, "brand_id": 1}, 403),
    ],
)
def test_a_brand_reconciles_itself_and_the_operator_any_brand(coalition, who, body, status) -> None:
    before = coalition.row_counts()
    assert coalition.post(who, "/v1/reconciliations", body).status_code == status
    if status != 201:
        assert coalition.row_counts() == before


def test_a_bonus_by_anothers_evidence_needs_no_payment_record(coalition: OfflineCoalition) -> None:
    coalition.brand(4)
    buy(coalition, "own", "evidence:4:sold-there")
    pay_back(coalition, "evidence:4:back-there", "evidence:4:sold-there", 1_000)
    record_clawback(coalition, "evidence:4:back-there")
    run = reconcile(coalition)
    assert breaks_of(coalition, run) == [("missing", "own", None)]
    assert run["summary"]["refunds_without_record"] == 0
    assert run["summary"]["by_evidence"] == {"purchases": 1, "points": 25}
    assert reconcile(coalition, "2017-03-01")["summary"]["by_evidence"] == {"purchases": 0, "points": 0}
    assert send(coalition, "brand:1", stripe_file(stripe_row(1, "evidence:4:sold-there")), "one").status_code == 201
    assert ("unexpected", "evidence:4:sold-there", "txn_1") in breaks_of(coalition, reconcile(coalition))


@pytest.mark.parametrize(
    "payment_id", ["evidence:9:x", "evidence:", "evidence:x", "evidence:1:own", "evidence:4:", "evidence:04:x", "evidence:99999999999:x"]
)
def test_no_brand_exempts_its_own_sales_by_an_id_of_evidence(coalition: OfflineCoalition, payment_id: str) -> None:
    coalition.brand(4)
    member_id = coalition.shopper().member_id
    for path, body in (
        ("purchases", purchase_body(payment_id, member_id=member_id)),
        ("purchases/bulk", {"purchases": [purchase_body(payment_id, member_id=member_id)]}),
    ):
        answer = coalition.post("brand:1", f"/v1/{path}", body)
        refused = answer.json() if answer.status_code == 422 else answer.json()["results"][0]["problem"]
        assert (refused["code"], refused["facts"]) == ("invalid", {"field": "payment_id"})


@pytest.mark.parametrize(
    ("refund_id", "payment_id"),
    [
        ("own-b", "evidence:4:p"),
        ("evidence:4:b", "own"),
        ("evidence:1:b", "evidence:4:p"),
        ("evidence:5:b", "evidence:4:p"),
        ("evidence:1:b", "own"),
    ],
)
def test_a_refund_is_by_the_evidence_by_which_its_payment_is(coalition: OfflineCoalition, refund_id: str, payment_id: str) -> None:
    for other in (4, 5):
        coalition.brand(other)
    buy(coalition, "own", "evidence:4:p")
    when = {"occurred_at": "2017-03-16T00:30:00+00:00", "business_date": "2017-03-16"}
    body = {"refund_id": refund_id, "payment_id": payment_id, "amount_minor": 100, **when}
    assert coalition.post("brand:1", "/v1/payment-refunds", body).json()["code"] == "invalid"
    [told] = coalition.post("brand:1", "/v1/payment-refunds/bulk", {"payment_refunds": [body]}).json()["results"]
    assert told["problem"]["code"] == "invalid"
