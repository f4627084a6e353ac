"""Refund records of a payment and the refunds the brand reported for it: money that went back must have taken its points back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gateway.payments.record import RecordKind
from gateway.reconciliation.breaks import BreakKind
from gateway.reconciliation.facts import ExpectedPayment, KeptRecord, ReportedRefund
from gateway.reconciliation.findings import Findings


def match_refunds(
    payment: ExpectedPayment, records: Sequence[KeptRecord], reported: Sequence[ReportedRefund], findings: Findings
) -> list[ReportedRefund]:
    """By refund id and amount, then by amount, then what is left as a whole. Returns the reported refunds that no record shows yet."""
    same = [kept for kept in records if kept.record.currency == payment.currency]
    for kept in records:
        if kept.record.currency != payment.currency:
            detail = f"refunded in {kept.record.currency}, sold in {payment.currency}"
            findings.break_of_record(BreakKind.WRONG_CURRENCY, kept, detail)
    open_refunds = {refund.refund_id: refund for refund in sorted(reported, key=lambda refund: (refund.business_date, refund.refund_id))}
    left = _match_by_id(payment, same, open_refunds, findings)
    left = _match_by_amount(payment, left, open_refunds, findings)
    return _match_as_a_whole(payment, left, list(open_refunds.values()), findings)


def _match_by_id(
    payment: ExpectedPayment, records: list[KeptRecord], open_refunds: dict[str, ReportedRefund], findings: Findings
) -> list[KeptRecord]:
    left = []
    for kept in records:
        for refund_id in (kept.record.refund_id, kept.record.provider_record_id):
            refund = open_refunds.get(refund_id or "")
            if refund is not None and refund.amount_minor == -kept.record.gross_minor:
                del open_refunds[refund.refund_id]
                _match(payment, [kept], [refund], findings)
                break
        else:
            left.append(kept)
    return left


def _match_by_amount(
    payment: ExpectedPayment, records: list[KeptRecord], open_refunds: dict[str, ReportedRefund], findings: Findings
) -> list[KeptRecord]:
    by_amount: dict[int, list[ReportedRefund]] = defaultdict(list)
    for refund in reversed(open_refunds.values()):
        by_amount[refund.amount_minor].append(refund)
    left = []
    for kept in records:
        candidates = by_amount[-kept.record.gross_minor]
        if candidates:
            refund = candidates.pop()
            del open_refunds[refund.refund_id]
            _match(payment, [kept], [refund], findings)
        else:
            left.append(kept)
    return left


def _match_as_a_whole(
    payment: ExpectedPayment, records: list[KeptRecord], reported: list[ReportedRefund], findings: Findings
) -> list[ReportedRefund]:
    """What has no partner of the same amount: the sums may agree, or one side tells of more money than the other."""
    if not records:
        return reported
    returned_minor = -sum(kept.record.gross_minor for kept in records)
    reported_minor = sum(refund.amount_minor for refund in reported)
    if returned_minor == reported_minor:
        _match(payment, records, reported, findings)
    elif returned_minor < reported_minor:
        findings.break_of_record(
            BreakKind.WRONG_AMOUNT,
            records[0],
            f"the brand reported refunds of {reported_minor} minor units, the records show {returned_minor}",
            expected_minor=-reported_minor,
            found_minor=-returned_minor,
        )
    else:
        _report_uncovered(payment, records, reported_minor, findings)
    return []


def _report_uncovered(payment: ExpectedPayment, records: list[KeptRecord], covered_minor: int, findings: Findings) -> None:
    nothing = "" if payment.points_due else " (the purchase had earned no points)"
    for kept in sorted(records, key=lambda kept: (-kept.record.gross_minor, kept.order)):  # the smallest first: most of them are covered
        here_minor = min(covered_minor, -kept.record.gross_minor)
        covered_minor -= here_minor
        if here_minor < -kept.record.gross_minor:
            detail = f"refunds reported to the gateway cover {here_minor} of {-kept.record.gross_minor} minor units{nothing}"
            findings.break_of_record(BreakKind.REFUND_NOT_CLAWED_BACK, kept, detail, expected_minor=-here_minor)
        else:
            findings.match(payment.payment_id, RecordKind.REFUND, [kept])


def _match(payment: ExpectedPayment, records: list[KeptRecord], reported: list[ReportedRefund], findings: Findings) -> None:
    findings.match(payment.payment_id, RecordKind.REFUND, records)
    undone = [refund for refund in reported if not refund.clawback_done]
    if undone:
        states = "; ".join(f"{refund.refund_id}: {refund.clawback_state}" for refund in undone)
        findings.break_of_record(BreakKind.REFUND_NOT_CLAWED_BACK, records[0], f"the clawback is not done: {states}")
