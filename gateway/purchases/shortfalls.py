"""What a clawback could not take: points that were spent already, or all of them where the clawback was refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import update
from sqlalchemy.orm import Session

from gateway.purchases.tables import PaymentRefundRow


class SqlShortfalls:
    """Rounds tell it how operations ended; it keeps what is missing with the payment refund."""

    def fell_short(self, session: Session, points_short: Mapping[str, int]) -> None:
        for operation_id, points in points_short.items():
            session.execute(update(PaymentRefundRow).where(PaymentRefundRow.operation_id == operation_id).values(points_short=points))

    def refused(self, session: Session, operation_ids: Collection[str]) -> None:
        refunds = update(PaymentRefundRow).where(PaymentRefundRow.operation_id.in_(list(operation_ids)))
        session.execute(refunds.values(points_short=PaymentRefundRow.points_due))
