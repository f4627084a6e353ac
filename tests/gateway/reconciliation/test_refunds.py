"""Refund records and the refunds the brand reported: money that went back has taken its points back."""

import pytest

from tests.gateway.reconciliation.payment_facts import Records, kinds, purchase, reconciled, refund


def paid() -> Records:
    return Records().charge()


def test_a_reported_refund_with_its_clawback_agrees_with_its_record():
    result = reconciled([purchase()], paid().refund(300), [refund("R", 300)])
    assert (kinds(result), [(one.kind, one.payment_record_ids) for one in result.matches]) == ([], [("charge", (1,)), ("refund", (2,))])


def test_a_refund_that_was_never_reported_is_not_clawed_back():
    (found,) = reconciled([purchase()], paid().refund(300)).breaks
    assert (found.kind, found.payment_record_id, found.expected_minor, found.found_minor) == ("refund_not_clawed_back", 2, 0, -300)


def test_a_clawback_that_is_neither_on_the_ledger_nor_written_off_is_named():
    (found,) = reconciled([purchase()], paid().refund(300), [refund("R", 300, done=False)]).breaks
    assert (found.kind, found.payment_record_id) == ("refund_not_clawed_back", 2)
    assert "its clawback is accepted" in found.detail


@pytest.mark.parametrize(("returned", "found"), [(300, []), (301, ["refund_not_clawed_back"]), (299, ["wrong_amount"])])
def test_the_reported_amount_must_be_what_went_back(returned, found):
    assert kinds(reconciled([purchase()], paid().refund(returned), [refund("R", 300)])) == found


def test_several_partial_refunds_find_their_own_in_any_order():
    records = paid().refund(100).refund(300).refund(200)
    result = reconciled([purchase()], records, [refund("R1", 300), refund("R2", 200), refund("R3", 100)])
    assert (kinds(result), len(result.matches)) == ([], 4)


def test_one_record_may_stand_for_several_reported_refunds_and_the_other_way_round():
    assert kinds(reconciled([purchase()], paid().refund(300), [refund("R1", 100), refund("R2", 200)])) == []
    assert kinds(reconciled([purchase()], paid().refund(100).refund(200), [refund("R1", 300)])) == []


def test_one_clawback_undone_among_several_that_sum_up_is_named():
    result = reconciled([purchase()], paid().refund(300), [refund("R1", 100), refund("R2", 200, done=False)])
    assert [(one.kind, one.payment_record_id) for one in result.breaks] == [("refund_not_clawed_back", 2)]
    assert "R2" in result.breaks[0].detail
    assert "R1" not in result.breaks[0].detail


def test_only_what_is_not_covered_is_a_break():
    result = reconciled([purchase()], paid().refund(100).refund(200).refund(250), [refund("R1", 150), refund("R2", 200)])
    assert [(one.kind, one.payment_record_id, one.expected_minor) for one in result.breaks] == [("refund_not_clawed_back", 4, -50)]


def test_the_refund_id_tells_which_of_two_equal_refunds_is_meant():
    records = paid().refund(300, refund_id="R2")
    result = reconciled([purchase()], records, [refund("R1", 300), refund("R2", 300, done=False)])
    assert kinds(result) == ["refund_not_clawed_back"]
    assert [one.refund_id for one in result.refunds_without_record] == ["R1"]


def test_the_providers_own_id_may_be_the_refund_id():
    result = reconciled([purchase()], paid().refund(300, key="R2"), [refund("R1", 300, done=False), refund("R2", 300)])
    assert kinds(result) == []


def test_a_repeated_refund_record_is_duplicated_and_needs_no_second_clawback():
    assert kinds(reconciled([purchase()], paid().refund(300, key="x").refund(300, key="x"), [refund("R", 300)])) == ["duplicated"]


def test_a_second_refund_of_the_same_amount_does_need_its_own():
    result = reconciled([purchase()], paid().refund(300).refund(300), [refund("R", 300)])
    assert [(one.kind, one.payment_record_id) for one in result.breaks] == [("refund_not_clawed_back", 3)]


def test_a_refund_of_no_known_purchase_is_unexpected():
    assert kinds(reconciled([purchase()], paid().refund(300, payment_id="B"))) == ["unexpected"]


def test_a_refund_in_another_currency_is_a_wrong_currency():
    assert kinds(reconciled([purchase()], paid().refund(300, currency="CAD"), [refund("R", 300)])) == ["wrong_currency"]


def test_a_refund_after_the_cut_off_is_not_seen_yet():
    assert kinds(reconciled([purchase()], paid().refund(300, on=11), cut_off=10)) == []


def test_a_reported_refund_without_a_record_is_counted_not_named():
    result = reconciled([purchase()], paid(), [refund("R", 300)])
    assert (kinds(result), len(result.refunds_without_record)) == ([], 1)
