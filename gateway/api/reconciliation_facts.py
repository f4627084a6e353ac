"""Where a reconciliation's facts come from in a unit of work: two features' rows behind one port."""

from __future__ import annotations

from gateway.coalition.views import find_head
from gateway.payments.rows import SqlPaymentFiles
from gateway.purchases.on_ledger import SqlPurchasesOnLedger
from gateway.reconciliation.gather import GatheredFacts
from gateway.store.unit_of_work import UnitOfWork


def gathered_facts(work: UnitOfWork) -> GatheredFacts:
    """Purchases, refunds and records as they stand now."""
    head = find_head(work.session)
    return GatheredFacts(work.of(SqlPurchasesOnLedger), work.of(SqlPaymentFiles), 0 if head is None else head.block_number)
