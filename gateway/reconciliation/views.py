"""Reconciliations as they were kept: figures, breaks page by page, payouts."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.reconciliation.breaks import Break, BreakKind
from gateway.reconciliation.payouts import Payout
from gateway.reconciliation.tables import BreakRow, PayoutRow, ReconciliationRow

LATEST = ReconciliationRow.created_at.desc(), ReconciliationRow.reconciliation_id.desc()


@dataclass(frozen=True, slots=True)
class KeptReconciliation:
    """One run. `at_block` is the ledger's head it saw."""

    reconciliation_id: str
    brand_id: int
    cut_off_date: str
    at_block: int
    created_at: int
    summary: dict[str, object]


@dataclass(frozen=True, slots=True)
class NumberedBreak:
    """A break with its number in the reconciliation, which is also the cursor."""

    break_number: int
    found: Break


def find_reconciliation(session: Session, reconciliation_id: str) -> KeptReconciliation | None:
    """The reconciliation of this id."""
    row = session.get(ReconciliationRow, reconciliation_id)
    return None if row is None else _kept(row)


def latest_reconciliation(session: Session, brand_id: int) -> KeptReconciliation | None:
    """The brand's last run."""
    row = session.scalar(select(ReconciliationRow).where(ReconciliationRow.brand_id == brand_id).order_by(*LATEST).limit(1))
    return None if row is None else _kept(row)


def list_breaks(
    session: Session, reconciliation_id: str, *, kind: BreakKind | None = None, after: int = 0, limit: int | None = 100
) -> list[NumberedBreak]:
    """In the order of their numbers, from the one after `after` on; without a limit, all."""
    query = select(BreakRow).where(BreakRow.reconciliation_id == reconciliation_id, BreakRow.break_number > after)
    if kind is not None:
        query = query.where(BreakRow.kind == kind.value)
    return [_numbered(row) for row in session.scalars(query.order_by(BreakRow.break_number).limit(limit))]


def list_payouts(session: Session, reconciliation_id: str, *, with_remainder: bool = False) -> list[Payout]:
    """The payouts as the run rebuilt them, by provider, id and currency."""
    query = select(PayoutRow).where(PayoutRow.reconciliation_id == reconciliation_id)
    if with_remainder:
        query = query.where(PayoutRow.remainder_minor != 0)
    rows = session.scalars(query.order_by(PayoutRow.provider, PayoutRow.payout_id, PayoutRow.currency))
    return [Payout(**{name: getattr(row, name) for name in Payout.__slots__}) for row in rows]


def _kept(row: ReconciliationRow) -> KeptReconciliation:
    return KeptReconciliation(row.reconciliation_id, row.brand_id, row.cut_off_date, row.at_block, row.created_at, json.loads(row.summary))


def _numbered(row: BreakRow) -> NumberedBreak:
    values = {name: getattr(row, name) for name in Break.__slots__}
    return NumberedBreak(row.break_number, Break(**values | {"kind": BreakKind(row.kind)}))
