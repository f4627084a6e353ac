"""What a clawback could not take: points that were spent already, or all of them where the clawback was refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from gateway.purchases.tables import AwardClawbackRow, AwardRow, CarriedClawbackRow
from gateway.rounds.operation import IssueOperation, Operation
from gateway.store.chunks import chunks
from gateway.values.ids import OperationId
from gateway.values.points import Points


class SqlShortfalls:
    """Rounds tell it how operations ended; it keeps what is missing with the clawback."""

    def stood_already(self, session: Session, operations: Collection[Operation]) -> None:
        """An award ends with the lot that the ledger gave it."""
        for one in operations:
            if isinstance(one, IssueOperation):
                award = update(AwardRow).where(AwardRow.operation_id == one.operation_id)
                session.execute(award.values(expiry_day=one.expiry_day))

    def fell_short(self, session: Session, points_short: Mapping[OperationId, Points]) -> None:
        for operation_id, points in points_short.items():
            session.execute(update(AwardClawbackRow).where(AwardClawbackRow.operation_id == operation_id).values(points_short=points))
        for part in _carried(session, points_short):
            _fall_short(session, part, points_short[OperationId(part.operation_id)])

    def refused(self, session: Session, operation_ids: Collection[OperationId]) -> None:
        for some in chunks(operation_ids):
            clawbacks = update(AwardClawbackRow).where(AwardClawbackRow.operation_id.in_(some))
            session.execute(clawbacks.values(points_short=AwardClawbackRow.points_due))
        for part in _carried(session, operation_ids):
            _fall_short(session, part, Points(part.points_due))


def _carried(session: Session, operation_ids: Collection[OperationId]) -> list[CarriedClawbackRow]:
    row = CarriedClawbackRow
    return [part for some in chunks(operation_ids) for part in session.scalars(select(row).where(row.operation_id.in_(some)))]


def _fall_short(session: Session, part: CarriedClawbackRow, points: Points) -> None:
    """What a later clawback could not take is missing of the first one again; telling it twice changes nothing."""
    first = session.get_one(AwardClawbackRow, (part.payment_refund_id, part.number))
    first.points_short += points - part.points_short
    part.points_short = points
