"""Activity as the ledger has it: what a member earned or paid with points at a brand, beside the brand's own id of it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from gateway.ledger.lot_references import Activity, ActivityKind
from gateway.points.ports import SeenActivity
from gateway.points.tables import ActivitySeenRow
from gateway.projection.tables import LedgerEntryRow
from gateway.rounds.operation import CaptureOperation, IssueOperation, Operation, OperationKind, RedeemOperation
from gateway.rounds.operation_codec import operation_of
from gateway.rounds.tables import OperationRow, ReferenceRow
from gateway.store.unit_of_work import UnitOfWork
from gateway.store.upsert import set_rows

ENTRIES_IN_ONE_ROUND = 3_000
ACTIVE_KINDS = (OperationKind.ISSUE.value, OperationKind.REDEEM.value, OperationKind.CAPTURE.value)


class SqlActivities:
    """What is looked for begins with the moment at which a brand has begun to extend, and is looked at once."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def begin(self, brand_id: int) -> None:
        """Of this brand all counts that comes on the ledger from here on, unless it does already."""
        if self._session.get(ActivitySeenRow, brand_id) is None:
            self._session.add(ActivitySeenRow(brand_id=brand_id, position=_last_position(self._session)))

    def are_due(self, brand_ids: Collection[int]) -> bool:
        seen = dict(self._session.execute(select(ActivitySeenRow.brand_id, ActivitySeenRow.position)).all())
        return seen.keys() != set(brand_ids) or (bool(seen) and min(seen.values()) < _last_position(self._session))

    def take(self, brand_ids: Collection[int]) -> list[SeenActivity]:
        """What is new, in the ledger's order; from then on it is not new any more."""
        self._session.execute(delete(ActivitySeenRow).where(ActivitySeenRow.brand_id.not_in(brand_ids)))
        seen = dict(self._session.execute(select(ActivitySeenRow.brand_id, ActivitySeenRow.position)).all())
        found: list[SeenActivity] = []
        end = _last_position(self._session)
        for brand_id in sorted(brand_ids):
            entries = self._entries(brand_id, seen.get(brand_id, end))
            found += [activity for entry in entries if (activity := self._activity(entry)) is not None]
            upto = entries[-1].position if len(entries) == ENTRIES_IN_ONE_ROUND else end
            set_rows(self._session, ActivitySeenRow, [{"brand_id": brand_id, "position": upto}])
        return found

    def _entries(self, brand_id: int, after: int) -> list[LedgerEntryRow]:
        row = LedgerEntryRow
        active = row.brand_id == brand_id, row.kind.in_(ACTIVE_KINDS), row.refused_reason.is_(None)
        return list(
            self._session.scalars(select(row).where(row.position > after, *active).order_by(row.position).limit(ENTRIES_IN_ONE_ROUND))
        )

    def _activity(self, entry: LedgerEntryRow) -> SeenActivity | None:
        """None for points that another brand's sale gave, and where the operation is not known any more."""
        named = ReferenceRow.brand_id == entry.brand_id, ReferenceRow.reference == entry.reference
        row = self._session.scalar(
            select(OperationRow).join(ReferenceRow, ReferenceRow.operation_id == OperationRow.operation_id).where(*named)
        )
        activity = None if row is None else self._of_operation(operation_of(row))
        if activity is None or entry.member_id is None:
            return None
        return SeenActivity(entry.brand_id, entry.member_id, activity, entry.block_timestamp)

    def _of_operation(self, operation: Operation) -> Activity | None:
        match operation:
            case IssueOperation(award=award):
                return Activity(ActivityKind.SALE, award.payment_id) if award.sold_by == operation.brand_id else None
            case RedeemOperation():
                return Activity(ActivityKind.ORDER, operation.order_id)
            case CaptureOperation():
                authorized = OperationRow.reservation_id == operation.reservation_id, OperationRow.kind == OperationKind.AUTHORIZE
                row = self._session.scalars(select(OperationRow).where(*authorized).limit(1)).one_or_none()
                order_id = None if row is None else getattr(operation_of(row), "order_id", None)
                return None if order_id is None else Activity(ActivityKind.ORDER, order_id)
            case _:
                return None


def _last_position(session: Session) -> int:
    return session.scalar(select(func.max(LedgerEntryRow.position))) or 0
