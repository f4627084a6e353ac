"""Purchases and the charges that name them: each break just beyond its limit, and its neighbor just within."""

import pytest

from tests.gateway.reconciliation.payment_facts import Records, kinds, purchase, reconciled


def test_a_purchase_its_record_and_its_points_agree():
    result = reconciled([purchase()], Records().charge())
    assert (kinds(result), result.matches[0].payment_id, result.matches[0].payment_record_ids) == ([], "A", (1,))


@pytest.mark.parametrize(("cut_off", "found"), [(3, []), (4, ["missing"])])
def test_a_record_is_missing_once_its_purchase_is_more_than_three_days_before_the_cut_off(cut_off, found):
    result = reconciled([purchase()], cut_off=cut_off)
    assert kinds(result) == found
    assert result.not_due_count == (0 if found else 1)


def test_a_missing_record_names_the_points_that_were_issued_without_a_payment():
    (found,) = reconciled([purchase()]).breaks
    assert (found.payment_id, found.payment_record_id, found.expected_minor, found.found_minor, found.age_days) == (
        "A",
        None,
        1000,
        None,
        30,
    )
    assert "10 points were issued without a payment" in found.detail
    assert "without a payment" not in reconciled([purchase(issued=None)]).breaks[0].detail


@pytest.mark.parametrize(("on", "found"), [(3, []), (4, ["late"])])
def test_a_record_is_late_when_dated_more_than_three_days_after_its_purchase(on, found):
    result = reconciled([purchase()], Records().charge(on=on))
    assert kinds(result) == found
    assert len(result.matches) == 1


@pytest.mark.parametrize(("cut_off", "found"), [(9, ["missing"]), (10, ["late"])])
def test_a_record_after_the_cut_off_is_not_seen_yet(cut_off, found):
    assert kinds(reconciled([purchase()], Records().charge(on=10), cut_off=cut_off)) == found


def test_a_record_dated_before_its_purchase_is_not_late():
    assert kinds(reconciled([purchase(on=5)], Records().charge(on=1))) == []


def test_a_purchase_after_the_cut_off_is_not_missing_and_its_early_record_is_not_unexpected():
    result = reconciled([purchase(on=11)], Records().charge(on=10), cut_off=10)
    assert (kinds(result), len(result.matches)) == ([], 1)


@pytest.mark.parametrize(("minor", "found"), [(1000, []), (999, ["wrong_amount"]), (1001, ["wrong_amount"]), (100_000, ["wrong_amount"])])
def test_a_record_of_another_amount_is_a_wrong_amount(minor, found):
    result = reconciled([purchase()], Records().charge(minor))
    assert kinds(result) == found
    assert [(one.expected_minor, one.found_minor, one.payment_record_id) for one in result.breaks] == ([(1000, minor, 1)] if found else [])
    assert len(result.matches) == (0 if found else 1)


def test_a_record_in_another_currency_is_a_wrong_currency_even_if_the_number_agrees():
    (found,) = reconciled([purchase()], Records().charge(currency="CAD")).breaks
    assert (found.kind, found.detail) == ("wrong_currency", "paid in CAD, sold in USD")


def test_a_late_record_of_a_wrong_amount_is_both():
    assert kinds(reconciled([purchase()], Records().charge(999, on=9))) == ["late", "wrong_amount"]


def test_the_same_provider_record_twice_is_duplicated_and_the_first_still_matches():
    result = reconciled([purchase()], Records().charge(key="txn_x").charge(key="txn_x"))
    (found,) = result.breaks
    assert (found.kind, found.payment_record_id, found.provider_record_id) == ("duplicated", 2, "txn_x")
    assert result.matches[0].payment_record_ids == (1,)


@pytest.mark.parametrize("changed", [{"payout_id": "po"}, {"fee": 7}, {"payment_id": "B"}, {"minor": 999}, {"currency": "CAD"}, {"on": 2}])
def test_which_of_two_unlike_repeats_is_the_first_does_not_depend_on_their_rows(changed):
    one, two = {"key": "txn_x"}, {"key": "txn_x"} | changed
    told = []
    for rows in ((one, two), (two, one)):
        records = Records()
        for row in rows:
            records.charge(**row)
        result = reconciled([purchase(), purchase("B")], records)
        breaks = sorted((found.kind.value, found.payment_id or "", found.found_minor or 0) for found in result.breaks)
        told.append((breaks, [(match.payment_id, match.amount_minor) for match in result.matches], result.payouts))
    assert told[0] == told[1]


def test_the_same_provider_id_of_another_kind_is_no_repeat():
    result = reconciled([purchase()], Records().charge(key="txn_x").refund(0, key="txn_x"))
    assert "duplicated" not in kinds(result)


def test_the_same_content_under_another_provider_id_is_not_duplicated_but_a_second_charge():
    result = reconciled([purchase()], Records().charge().charge())
    assert [(one.kind, one.detail) for one in result.breaks] == [("unexpected", "the purchase is already paid by another record")]


def test_a_repeat_after_the_cut_off_is_not_seen_yet():
    assert kinds(reconciled([purchase()], Records().charge(key="x").charge(key="x", on=20), cut_off=10)) == []


def test_of_two_exact_charges_the_earlier_pays_whatever_row_it_stands_in():
    for days in ((1, 2), (2, 1)):
        records = Records()
        for on in days:
            records.charge(on=on)
        result = reconciled([purchase()], records)
        assert [(one.kind, one.age_days) for one in result.breaks] == [("unexpected", 28)]


@pytest.mark.parametrize("payment_id", ["B", None])
def test_a_record_of_no_known_purchase_is_unexpected(payment_id):
    result = reconciled([purchase()], Records().charge().charge(payment_id=payment_id))
    assert [(one.kind, one.payment_record_id) for one in result.breaks] == [("unexpected", 2)]


def test_parts_that_sum_exactly_are_one_match():
    result = reconciled([purchase()], Records().charge(400).charge(600))
    assert (kinds(result), result.matches[0].payment_record_ids, result.matches[0].amount_minor) == ([], (1, 2), 1000)


def test_parts_that_do_not_sum_are_one_wrong_amount():
    (found,) = reconciled([purchase()], Records().charge(400).charge(599)).breaks
    assert (found.kind, found.expected_minor, found.found_minor) == ("wrong_amount", 1000, 999)


def test_a_late_part_is_late_by_itself():
    result = reconciled([purchase()], Records().charge(400).charge(600, on=4))
    assert [(one.kind, one.payment_record_id) for one in result.breaks] == [("late", 2)]


def test_a_capture_taken_back_in_part_leaves_the_sum():
    assert kinds(reconciled([purchase()], Records().charge(1500).charge(-500))) == []
    assert kinds(reconciled([purchase()], Records().charge(1000).charge(-1000))) == ["wrong_amount"]


def test_what_was_paid_wholly_with_points_expects_no_record():
    paid_with_points = purchase(minor=0, due=0, issued=None)
    assert kinds(reconciled([paid_with_points])) == []
    assert kinds(reconciled([paid_with_points], Records().charge())) == ["unexpected"]


@pytest.mark.parametrize(
    ("due", "issued", "found"), [(10, 10, []), (10, None, ["points_missing"]), (10, 9, ["points_missing"]), (0, None, [])]
)
def test_a_paid_purchase_whose_points_are_not_on_the_ledger_is_points_missing(due, issued, found):
    assert kinds(reconciled([purchase(due=due, issued=issued)], Records().charge())) == found


def test_points_are_not_missing_while_the_payment_is():
    assert kinds(reconciled([purchase(issued=None)])) == ["missing"]
