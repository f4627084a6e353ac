"""A reconciliation of one brand at a cut-off date. The same facts give the same result, in whatever order they come."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.payments.record import RecordKind
from gateway.reconciliation.breaks import MISSING_AFTER_DAYS, Break, BreakKind
from gateway.reconciliation.charges import match_charges
from gateway.reconciliation.facts import ExpectedPayment, Facts, KeptRecord, ReportedRefund
from gateway.reconciliation.findings import Findings, Match
from gateway.reconciliation.payouts import Payout, rebuild_payouts
from gateway.reconciliation.refunds import match_refunds


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The result. `refunds_without_record`: reported by the brand, shown by no record yet. `by_evidence`: purchases for
    which no money is expected, since another brand sold."""

    matches: tuple[Match, ...]
    breaks: tuple[Break, ...]
    payouts: tuple[Payout, ...]
    refunds_without_record: tuple[ReportedRefund, ...]
    record_count: int
    not_due_count: int
    by_evidence: tuple[ExpectedPayment, ...] = ()

    @property
    def breaks_by_kind(self) -> dict[str, int]:
        """Every kind, those with none too."""
        counts = Counter(item.kind for item in self.breaks)
        return {kind.value: counts[kind] for kind in BreakKind}


def reconcile(facts: Facts) -> Reconciled:
    """Matches what can be matched and names the rest."""
    findings = Findings(facts.cut_off)
    dated = [kept for kept in facts.records if kept.record.business_date <= facts.cut_off]
    firsts = _report_repeats(dated, findings)
    payments = {payment.payment_id: payment for payment in facts.payments}
    charges = _by_payment(firsts, RecordKind.CHARGE, payments, findings)
    refunds = _by_payment(firsts, RecordKind.REFUND, payments, findings)
    reported: dict[str, list[ReportedRefund]] = defaultdict(list)
    for refund in facts.refunds:
        reported[refund.payment_id].append(refund)
    unseen: list[ReportedRefund] = []
    not_due_count = 0
    for payment in sorted(facts.payments, key=lambda payment: (payment.business_date, payment.payment_id)):
        named = charges.get(payment.payment_id, [])
        match_charges(payment, named, findings)
        not_due_count += not named and payment.expected_minor > 0 and (facts.cut_off - payment.business_date).days <= MISSING_AFTER_DAYS
        here = reported.get(payment.payment_id, [])
        if here or payment.payment_id in refunds:
            unseen += match_refunds(payment, refunds.get(payment.payment_id, []), here, findings)
    return Reconciled(
        matches=tuple(findings.matches),
        breaks=tuple(findings.breaks),
        payouts=tuple(rebuild_payouts(kept.record for kept in firsts)),
        refunds_without_record=tuple(unseen),
        record_count=len(dated),
        not_due_count=not_due_count,
        by_evidence=tuple(one for one in facts.payments if one.is_by_evidence and one.business_date <= facts.cut_off),
    )


def _report_repeats(records: Iterable[KeptRecord], findings: Findings) -> list[KeptRecord]:
    """The first record of every business key, in order of content; each further one is a break."""
    firsts: dict[tuple[str, str, RecordKind], KeptRecord] = {}
    repeats: list[KeptRecord] = []
    for kept in records:
        key = kept.record.business_key
        other = firsts.setdefault(key, kept)
        if other is not kept:
            firsts[key], repeat = (kept, other) if kept.order < other.order else (other, kept)
            repeats.append(repeat)
    for repeat in sorted(repeats, key=lambda kept: kept.order):
        first = firsts[repeat.record.business_key].record
        same = (
            "the same amount"
            if (first.gross_minor, first.currency) == (repeat.record.gross_minor, repeat.record.currency)
            else "other content"
        )
        detail = f"{repeat.record.kind} {repeat.record.provider_record_id} came before, with {same}"
        findings.break_of_record(BreakKind.DUPLICATED, repeat, detail)
    return list(firsts.values())


def _by_payment(
    records: list[KeptRecord], kind: RecordKind, payments: dict[str, ExpectedPayment], findings: Findings
) -> dict[str, list[KeptRecord]]:
    by_payment: dict[str, list[KeptRecord]] = defaultdict(list)
    strays = []
    for kept in records:
        if kept.record.kind is kind:
            if kept.record.payment_id in payments:
                by_payment[kept.record.payment_id].append(kept)
            else:
                strays.append(kept)
    for kept in sorted(strays, key=lambda kept: kept.order):
        detail = "without a payment id" if kept.record.payment_id is None else "of a payment that is not among the purchases"
        findings.break_of_record(BreakKind.UNEXPECTED, kept, f"a {kind} {detail}")
    for named in by_payment.values():
        if len(named) > 1:
            named.sort(key=lambda kept: kept.order)
    return by_payment
