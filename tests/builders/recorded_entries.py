"""Writes into the projection what the follower would have read: the issue of a purchase, the clawback of a payment refund."""

from __future__ import annotations

import itertools

from sqlalchemy import select

from gateway.projection.tables import LedgerEntryRow
from gateway.purchases.tables import PaymentRefundRow, PurchaseRow
from tests.builders.offline_coalition import START, OfflineCoalition

_positions = itertools.count(1 << 40)


def record_issue(coalition: OfflineCoalition, payment_id: str, *, refused: str | None = None, brand_id: int = 1) -> None:
    """The purchase's issue entry, accepted unless it was `refused`."""
    with coalition.database.write() as session:
        row = session.scalars(select(PurchaseRow).where(PurchaseRow.payment_id == payment_id, PurchaseRow.brand_id == brand_id)).one()
        session.add(_entry("issue", brand_id, row.reference, row.points, refused))
    if row.operation_id:
        coalition.finish(row.operation_id, "refused" if refused else "confirmed", refused)


def record_clawback(coalition: OfflineCoalition, refund_id: str, *, brand_id: int = 1) -> None:
    """The refund's clawback entry."""
    with coalition.database.write() as session:
        row = session.scalars(select(PaymentRefundRow).where(PaymentRefundRow.refund_id == refund_id)).one()
        session.add(_entry("clawback", brand_id, row.reference, row.points_due, None))
    if row.operation_id:
        coalition.finish(row.operation_id)


def _entry(kind: str, brand_id: int, reference: str, points: int, refused: str | None) -> LedgerEntryRow:
    position = next(_positions)
    return LedgerEntryRow(
        position=position,
        brand_id=brand_id,
        batch_number=position - (1 << 40),
        entry_index=0,
        kind=kind,
        member_id=None,
        points=points,
        reference=reference,
        issue_reference=None,
        reservation_id=None,
        rule_version=1,
        entry=b"",
        refused_reason=refused,
        block_number=1,
        block_timestamp=START,
    )
