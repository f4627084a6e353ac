"""Writes into the projection what the follower would have read: the issues of a purchase, the clawbacks of a payment refund."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.ledger.batches import entries_root
from gateway.ledger.decision import BASE_RULE, Decision
from gateway.ledger.entries import Issue, encode_entry
from gateway.ledger.issue_parts import AwardBasis
from gateway.projection.tables import LedgerBatchRow, LedgerEntryRow
from gateway.purchases.tables import AwardClawbackRow, AwardRow, PaymentRefundRow, PurchaseRow
from gateway.values.ids import Hash, Reference
from gateway.values.points import Points
from tests.builders.offline_coalition import START, OfflineCoalition

FIRST_POSITION = 1 << 40


def record_issue(coalition: OfflineCoalition, payment_id: str, *, refused: str | None = None, brand_id: int = 1) -> None:
    """The issue entry of each award of the purchase, accepted unless it was `refused`; the plain one of a purchase that earned nothing."""
    with coalition.database.write() as session:
        row = session.scalars(select(PurchaseRow).where(PurchaseRow.payment_id == payment_id, PurchaseRow.brand_id == brand_id)).one()
        awards = session.scalars(select(AwardRow).where(AwardRow.purchase_id == row.purchase_id)).all()
        for award in awards:
            entry = _entry(session, "issue", award.issuer_id, award.reference, award.points, refused)
            basis = AwardBasis(award.rule_version, BASE_RULE, award.number, Decision(award.decision_salt, award.decision).hash)
            entry.entry = encode_entry(Issue(award.member_id, award.expiry_day, Points(award.points), basis, award.reference))
            session.add_all([entry, _batch(entry)])
        if not awards:
            session.add(_entry(session, "issue", brand_id, row.reference, 0, refused))
    for award in awards:
        if award.operation_id:
            coalition.finish(award.operation_id, "refused" if refused else "confirmed", refused)


def record_clawback(coalition: OfflineCoalition, refund_id: str, *, brand_id: int = 1) -> None:
    """The clawback entries of the refund."""
    with coalition.database.write() as session:
        row = session.scalars(
            select(PaymentRefundRow).where(PaymentRefundRow.refund_id == refund_id, PaymentRefundRow.brand_id == brand_id)
        ).one()
        named = AwardClawbackRow.payment_refund_id == row.payment_refund_id
        clawbacks = session.scalars(select(AwardClawbackRow).where(named)).all()
        for clawback in clawbacks:
            session.add(_entry(session, "clawback", clawback.issuer_id, clawback.reference, clawback.points_due, None))
    for clawback in clawbacks:
        coalition.finish(clawback.operation_id)


def _batch(entry: LedgerEntryRow) -> LedgerBatchRow:
    """In which the entry is alone."""
    return LedgerBatchRow(
        brand_id=entry.brand_id,
        number=entry.batch_number,
        root=entries_root([entry.entry]),
        entry_count=1,
        refused_count=1 if entry.refused_reason else 0,
        block_number=1,
        transaction_hash=Hash(bytes(32)),
    )


def _entry(session: Session, kind: str, brand_id: int, reference: Reference, points: int, refused: str | None) -> LedgerEntryRow:
    last = session.scalar(select(func.max(LedgerEntryRow.position)).where(LedgerEntryRow.position >= FIRST_POSITION))
    position = FIRST_POSITION if last is None else last + 1
    return LedgerEntryRow(
        position=position,
        brand_id=brand_id,
        batch_number=position - FIRST_POSITION,
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
