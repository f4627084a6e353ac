"""A purchase and the charges that name it: one for one, or several parts that sum exactly; then lateness and the points entry."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.payments.record import RecordKind
from gateway.reconciliation.breaks import LATE_AFTER_DAYS, MISSING_AFTER_DAYS, BreakKind
from gateway.reconciliation.facts import ExpectedPayment, KeptRecord
from gateway.reconciliation.findings import Findings
from gateway.values.currencies import major_text


def match_charges(payment: ExpectedPayment, charges: Sequence[KeptRecord], findings: Findings) -> None:
    """`charges` name this payment, are dated at or before the cut-off, hold no repeats, and come in their own order."""
    if payment.expected_minor == 0:
        for kept in charges:
            findings.break_of_record(
                BreakKind.UNEXPECTED, kept, "the purchase was paid wholly with points, or at another brand", expected_minor=0
            )
        return
    if not charges:
        _report_missing(payment, findings)
        return
    same = [kept for kept in charges if kept.record.currency == payment.currency]
    claimed = _claim(payment, same)
    if claimed:
        findings.match(payment.payment_id, RecordKind.CHARGE, claimed)
        if len(claimed) < len(charges):
            _report_surplus(charges, claimed, findings)
        _report_points_missing(payment, claimed, findings)
    else:
        claimed = list(charges)
        _report_disagreement(payment, charges, same, findings)
    _report_late(payment, claimed, findings)


def _claim(payment: ExpectedPayment, charges: list[KeptRecord]) -> list[KeptRecord]:
    """All charges when they sum to what is expected, else the earliest that is exactly it, else none.

    A charge taken back (a negative amount) leaves only the sum to go by.
    """
    if charges and sum(kept.record.gross_minor for kept in charges) == payment.expected_minor:
        return charges
    if any(kept.record.gross_minor < 0 for kept in charges):
        return []
    exact = [kept for kept in charges if kept.record.gross_minor == payment.expected_minor]
    return [exact[0]] if exact else []


def _report_missing(payment: ExpectedPayment, findings: Findings) -> None:
    if (findings.cut_off - payment.business_date).days > MISSING_AFTER_DAYS:
        issued = f"; {payment.points_issued} points were issued without a payment" if payment.points_issued else ""
        findings.break_of_payment(BreakKind.MISSING, payment, f"no payment record of the purchase of {payment.business_date}{issued}")


def _report_surplus(charges: Sequence[KeptRecord], claimed: list[KeptRecord], findings: Findings) -> None:
    taken = {kept.payment_record_id for kept in claimed}
    for kept in charges:
        if kept.payment_record_id not in taken:
            findings.break_of_record(BreakKind.UNEXPECTED, kept, "the purchase is already paid by another record", expected_minor=0)


def _report_disagreement(payment: ExpectedPayment, charges: Sequence[KeptRecord], same: list[KeptRecord], findings: Findings) -> None:
    for kept in charges:
        if kept.record.currency != payment.currency:
            detail = f"paid in {kept.record.currency}, sold in {payment.currency}"
            findings.break_of_record(BreakKind.WRONG_CURRENCY, kept, detail, expected_minor=payment.expected_minor)
    if same:
        found_minor = sum(kept.record.gross_minor for kept in same)
        expected = major_text(payment.expected_minor, payment.currency)
        findings.break_of_record(
            BreakKind.WRONG_AMOUNT,
            same[0],
            f"{major_text(found_minor, payment.currency)} in {len(same)} records, {expected} {payment.currency} expected",
            expected_minor=payment.expected_minor,
            found_minor=found_minor,
        )


def _report_late(payment: ExpectedPayment, claimed: list[KeptRecord], findings: Findings) -> None:
    for kept in claimed:
        days = (kept.record.business_date - payment.business_date).days
        if days > LATE_AFTER_DAYS:
            findings.break_of_record(
                BreakKind.LATE,
                kept,
                f"dated {days} days after the purchase of {payment.business_date}",
                expected_minor=payment.expected_minor,
            )


def _report_points_missing(payment: ExpectedPayment, claimed: list[KeptRecord], findings: Findings) -> None:
    issued = payment.points_issued or 0
    if issued < payment.points_due:
        findings.break_of_record(
            BreakKind.POINTS_MISSING,
            claimed[0],
            f"{payment.points_due} points were due, {issued} are on the ledger: {payment.issue_state}",
            expected_minor=payment.expected_minor,
        )
