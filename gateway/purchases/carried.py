"""What clawbacks of carrying issuers could not take, and what their members have by now."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from gateway.coalition.rows import SqlCoalition
from gateway.ledger.awards import AwardId
from gateway.projection.tables import LedgerMemberLotRow
from gateway.purchases.clawback import WRITTEN_OFF
from gateway.purchases.ports import OpenShortfall
from gateway.purchases.tables import AwardClawbackRow, AwardRow, CarriedClawbackRow, PaymentRefundRow, PurchaseRow, RefundFailureRow
from gateway.rounds.operation import OperationStatus
from gateway.rounds.tables import OperationRow
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.calendar import NEVER, local_day
from gateway.values.ids import MemberId, OperationId, Reference
from gateway.values.money import AmountMinor
from gateway.values.points import Points

CARRIED_IN_ONE_ROUND = 500


class SqlCarriedClawbacks:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._work = work

    def open_shortfalls(self, issuer_ids: Collection[int]) -> list[OpenShortfall]:
        """Of these issuers, where the last clawback has ended, the refund stands, and the member has points that have not expired."""
        if not issuer_ids:
            return []
        clawback, refund, award, purchase = AwardClawbackRow, PaymentRefundRow, AwardRow, PurchaseRow
        failed = select(RefundFailureRow.payment_refund_id).where(RefundFailureRow.payment_refund_id == clawback.payment_refund_id).exists()
        rows = self._session.execute(
            select(clawback, refund, award.member_id, award.reference)
            .join(refund, refund.payment_refund_id == clawback.payment_refund_id)
            .join(purchase, (purchase.brand_id == refund.brand_id) & (purchase.payment_id == refund.payment_id))
            .join(award, (award.purchase_id == purchase.purchase_id) & (award.number == clawback.number))
            .where(clawback.points_short > 0, clawback.issuer_id.in_(issuer_ids), ~failed)
            .order_by(clawback.payment_refund_id, clawback.number)
            .limit(CARRIED_IN_ONE_ROUND)
        )
        found = [self._open(short, of, member, issue) for short, of, member, issue in rows]
        return [one for one in found if one is not None]

    def add_part(self, shortfall: OpenShortfall, points: Points, reference: Reference, operation_id: OperationId) -> None:
        """What it is to take is not missing any more."""
        first = AwardClawbackRow.payment_refund_id == shortfall.payment_refund_id, AwardClawbackRow.number == shortfall.award.number
        self._session.execute(update(AwardClawbackRow).where(*first).values(points_short=AwardClawbackRow.points_short - points))
        self._session.execute(
            insert(CarriedClawbackRow).values(
                payment_refund_id=shortfall.payment_refund_id,
                number=shortfall.award.number,
                part=shortfall.part,
                issuer_id=shortfall.award.issuer_id,
                points_due=points,
                points_short=0,
                reference=reference,
                operation_id=operation_id,
            )
        )

    def _open(self, short: AwardClawbackRow, of: PaymentRefundRow, member: MemberId, issue: Reference) -> OpenShortfall | None:
        part, mine = CarriedClawbackRow, (CarriedClawbackRow.payment_refund_id, CarriedClawbackRow.number)
        of_clawback = [mine[0] == short.payment_refund_id, mine[1] == short.number]
        later = self._session.scalars(select(part).where(*of_clawback).order_by(part.part)).all()
        last = later[-1].operation_id if later else short.operation_id
        available = self._available(member, short.issuer_id)
        if not available or not self._ended_short(last):
            return None
        award = AwardId(of.brand_id, of.payment_id, short.number, short.issuer_id)
        whose = short.payment_refund_id, of.refund_id, AmountMinor(of.amount_minor), award, member, issue
        return OpenShortfall(*whose, len(later) + 1, Points(short.points_short), available)

    def _ended_short(self, operation_id: str) -> bool:
        """A clawback that was refused for another reason is not tried again: it would be refused for ever."""
        row = OperationRow
        ended: ColumnElement[bool] = or_(row.status == OperationStatus.CONFIRMED.value, row.reason == WRITTEN_OFF)
        return self._session.scalar(select(row.sequence).where(row.operation_id == operation_id, ended)) is not None

    def _available(self, member: MemberId, issuer_id: int) -> Points:
        row, facts = LedgerMemberLotRow, self._work.of(SqlCoalition).facts
        expiry_day, today = row.lot_id % 2**32, local_day(self._work.now, facts.utc_offset_seconds)
        of_issuer = row.member_id == member, row.lot_id.between(issuer_id << 32, (issuer_id << 32) + 2**32 - 1)
        usable = row.held > row.reserved, or_(expiry_day == NEVER, expiry_day >= today)
        return Points(
            int(self._session.scalar(select(func.coalesce(func.sum(row.held - row.reserved), 0)).where(*of_issuer, *usable)) or 0)
        )
