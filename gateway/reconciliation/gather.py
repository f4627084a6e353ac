"""Gathers the facts of a reconciliation from what other features know: purchases with their entries, and the records of all files."""

from __future__ import annotations

from datetime import date

from gateway.reconciliation.facts import ExpectedPayment, Facts, KeptRecord, ReportedRefund
from gateway.reconciliation.ports import PurchasesOnLedger, RecordsOfFiles
from gateway.values.money import AmountMinor
from gateway.values.references import BY_EVIDENCE


class GatheredFacts:
    """`head_block` is the ledger's block that the purchases were compared with."""

    def __init__(self, on_ledger: PurchasesOnLedger, records: RecordsOfFiles, head_block: int) -> None:
        self._on_ledger = on_ledger
        self._records = records
        self._head_block = head_block

    def head_block(self) -> int:
        return self._head_block

    def gather(self, brand_id: int, cut_off: date) -> Facts:
        payments = tuple(
            ExpectedPayment(
                one.payment_id,
                one.currency,
                AmountMinor(0) if one.payment_id.startswith(BY_EVIDENCE) else one.paid_minor,
                one.business_date,
                one.points_due,
                one.points_issued,
                _state("issue", one.status, one.reason),
                one.payment_id.startswith(BY_EVIDENCE),
            )
            for one in self._on_ledger.purchases(brand_id)
        )
        refunds = tuple(
            ReportedRefund(
                one.refund_id,
                one.payment_id,
                one.amount_minor,
                one.business_date,
                one.is_done,
                _state("clawback", one.status, one.reason),
            )
            for one in self._on_ledger.refunds(brand_id)
            if not one.payment_id.startswith(BY_EVIDENCE)
        )
        records = tuple(KeptRecord(record_id, record) for record_id, record in self._records.records_until(brand_id, cut_off))
        return Facts(cut_off, payments, refunds, records)


def _state(what: str, status: str | None, reason: str | None) -> str:
    if status is None:
        return f"there is no {what} operation"
    return f"its {what} is {status}" + (f" ({reason})" if reason else "")
