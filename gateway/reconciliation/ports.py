"""What reconciling needs from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from gateway.reconciliation.facts import Facts
from gateway.reconciliation.matching import Reconciled


class ReconciliationFacts(Protocol):
    def gather(self, brand_id: int, cut_off: date) -> Facts: ...
    def head_block(self) -> int: ...


class Reconciliations(Protocol):
    def add(self, reconciliation_id: str, brand_id: int, cut_off: date, at_block: int, result: Reconciled, at: int) -> None: ...
