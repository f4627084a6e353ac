"""What reconciling needs from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from gateway.payments.record import PaymentRecord
from gateway.purchases.on_ledger import PurchaseOnLedger, RefundOnLedger
from gateway.reconciliation.facts import Facts
from gateway.reconciliation.matching import Reconciled


class PurchasesOnLedger(Protocol):
    """What the brand reported, beside what the ledger has of it."""

    def purchases(self, brand_id: int) -> list[PurchaseOnLedger]: ...
    def refunds(self, brand_id: int) -> list[RefundOnLedger]: ...


class RecordsOfFiles(Protocol):
    def records_until(self, brand_id: int, cut_off: date) -> list[tuple[int, PaymentRecord]]: ...


class ReconciliationFacts(Protocol):
    def gather(self, brand_id: int, cut_off: date) -> Facts: ...
    def head_block(self) -> int: ...


class Reconciliations(Protocol):
    def add(self, reconciliation_id: str, brand_id: int, cut_off: date, at_block: int, result: Reconciled, at: int) -> None: ...
