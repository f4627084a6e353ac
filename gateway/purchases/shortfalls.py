"""What a clawback could not take: points that were spent already, or all of them where the clawback was refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import update
from sqlalchemy.orm import Session

from gateway.purchases.tables import AwardClawbackRow
from gateway.store.chunks import chunks
from gateway.values.ids import OperationId
from gateway.values.points import Points


class SqlShortfalls:
    """Rounds tell it how operations ended; it keeps what is missing with the clawback."""

    def fell_short(self, session: Session, points_short: Mapping[OperationId, Points]) -> None:
        for operation_id, points in points_short.items():
            session.execute(update(AwardClawbackRow).where(AwardClawbackRow.operation_id == operation_id).values(points_short=points))

    def refused(self, session: Session, operation_ids: Collection[OperationId]) -> None:
        for some in chunks(operation_ids):
            clawbacks = update(AwardClawbackRow).where(AwardClawbackRow.operation_id.in_(some))
            session.execute(clawbacks.values(points_short=AwardClawbackRow.points_due))
