"""Reconcile a brand at a cut-off date. Gathering and matching need no write; the result is kept in one unit of work.

Running again on the same data gives the same result under a new id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gateway.reconciliation.matching import Reconciled, reconcile
from gateway.reconciliation.ports import ReconciliationFacts, Reconciliations


@dataclass(frozen=True, slots=True)
class BrandReconciled:
    """A result that is not kept yet, with the ledger's block it saw."""

    brand_id: int
    cut_off: date
    at_block: int
    result: Reconciled


def reconcile_brand(brand_id: int, cut_off: date, *, facts: ReconciliationFacts) -> BrandReconciled:
    """Matches everything known of the brand up to the cut-off."""
    at_block = facts.head_block()
    return BrandReconciled(brand_id, cut_off, at_block, reconcile(facts.gather(brand_id, cut_off)))


def keep_reconciliation(item: BrandReconciled, *, reconciliations: Reconciliations, reconciliation_id: str, now: int) -> None:
    """Keeps matches, breaks and payouts, all or none."""
    reconciliations.add(reconciliation_id, item.brand_id, item.cut_off, item.at_block, item.result, now)
