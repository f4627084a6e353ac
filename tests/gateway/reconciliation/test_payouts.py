"""A payout is its named parts and one labelled remainder."""

from gateway.payments.record import RecordKind
from gateway.reconciliation.payouts import NO_REMAINDER, PAYOUT_NOT_YET_SEEN, ROWS_NOT_IN_FILES
from tests.gateway.reconciliation.payment_facts import Records, reconciled


def parts() -> Records:
    return Records().charge(1000, fee=30, payout_id="po").refund(200, payout_id="po").add(RecordKind.FEE, -15, None, payout_id="po")


def test_a_payout_whose_rows_are_all_there_leaves_no_remainder():
    (payout,) = reconciled(records=parts().add(RecordKind.PAYOUT, -755, None, payout_id="po")).payouts
    assert (payout.payout_minor, payout.charges_minor, payout.refunds_minor, payout.fees_minor) == (755, 1000, -200, -45)
    assert (payout.remainder_minor, payout.remainder_label, payout.record_count) == (0, NO_REMAINDER, 4)


def test_what_the_rows_do_not_explain_is_one_labelled_remainder():
    (payout,) = reconciled(records=parts().add(RecordKind.PAYOUT, -855, None, payout_id="po")).payouts
    assert (payout.remainder_minor, payout.remainder_label) == (100, ROWS_NOT_IN_FILES)


def test_a_payout_that_has_not_come_is_the_sum_of_its_parts_so_far():
    (payout,) = reconciled(records=parts().add(RecordKind.PAYOUT, -755, None, on=20, payout_id="po"), cut_off=10).payouts
    assert (payout.payout_minor, payout.remainder_minor, payout.remainder_label) == (755, 0, PAYOUT_NOT_YET_SEEN)


def test_a_repeated_row_is_in_its_payout_once():
    records = Records().charge(1000, key="x", payout_id="po").charge(1000, key="x", payout_id="po")
    assert reconciled(records=records).payouts[0].charges_minor == 1000


def test_payouts_of_two_currencies_are_kept_apart():
    records = Records().charge(1000, payout_id="po").charge(2000, currency="CAD", payout_id="po")
    assert [(one.currency, one.payout_minor) for one in reconciled(records=records).payouts] == [("CAD", 2000), ("USD", 1000)]
