"""Purchases with their awards, and payment refunds with their clawbacks. Payment ids and refund ids of a brand are unique by constraint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from gateway.ledger.awards import AwardId
from gateway.ledger.decision import Decision
from gateway.purchases.award import Award, AwardClawback, AwardRestore
from gateway.purchases.ports import NewRefund, StoredFailure, StoredPurchase, StoredRefund
from gateway.purchases.purchase import Purchase
from gateway.purchases.tables import (
    AwardClawbackRow,
    AwardRestoreRow,
    AwardRow,
    CarriedClawbackRow,
    PaymentRefundRow,
    PurchaseLineRow,
    PurchaseRow,
    RefundFailureRow,
)
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork
from gateway.store.upsert import insert_numbered, insert_rows
from gateway.values.ids import OperationId, Reference
from gateway.values.money import AmountMinor
from gateway.values.points import Points

New = tuple[int, Purchase, StoredPurchase]


class SqlPurchases:
    """New purchases are inserted together when the unit of work ends."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._seen: dict[tuple[int, str], StoredPurchase | None] = {}
        self._new: list[New] = []
        work.before_reading(self.flush)

    def find(self, brand_id: int, payment_id: str) -> StoredPurchase | None:
        if (brand_id, payment_id) not in self._seen:
            self.prefetch(brand_id, [payment_id])
        return self._seen[brand_id, payment_id]

    def prefetch(self, brand_id: int, payment_ids: Iterable[str]) -> None:
        """Reads many purchases at once."""
        for some in chunks({one for one in payment_ids if (brand_id, one) not in self._seen}):
            self._seen.update({(brand_id, one): None for one in some})
            named = select(PurchaseRow).where(PurchaseRow.brand_id == brand_id, PurchaseRow.payment_id.in_(some))
            rows = self._session.scalars(named).all()
            awards = awards_of(self._session, rows)
            for row in rows:
                self._seen[brand_id, row.payment_id] = _purchase(row, awards.get(row.purchase_id, []))

    def add(self, brand_id: int, purchase: Purchase, stored: StoredPurchase) -> None:
        self._seen[brand_id, purchase.payment_id] = stored
        self._new.append((brand_id, purchase, stored))

    def flush(self) -> None:
        if not self._new:
            return
        ids = insert_numbered(self._session, PurchaseRow, [_purchase_values(*new) for new in self._new])
        numbered = list(zip(ids, self._new, strict=True))
        lines = [values for purchase_id, new in numbered for values in _line_values(purchase_id, new[1])]
        awards = [values for purchase_id, new in numbered for values in _award_values(purchase_id, new[2])]
        insert_rows(self._session, PurchaseLineRow, lines)
        insert_rows(self._session, AwardRow, awards)
        self._new.clear()


class SqlPaymentRefunds:
    """Payment refunds, written at once: the next refund of the same payment must see them."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, brand_id: int, refund_id: str) -> StoredRefund | None:
        found = self._found(PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.refund_id == refund_id)
        return found[0] if found else None

    def due_again(self, operation_id: OperationId) -> bool:
        """Takes back that a refused clawback's points were written off; not where later points make up for them, or the refund failed."""
        clawback = self._session.scalar(select(AwardClawbackRow).where(AwardClawbackRow.operation_id == operation_id))
        if clawback is None:
            return False
        same = CarriedClawbackRow.payment_refund_id == clawback.payment_refund_id, CarriedClawbackRow.number == clawback.number
        is_carried = self._session.scalar(select(CarriedClawbackRow.part).where(*same).limit(1)) is not None
        if is_carried or self._session.get(RefundFailureRow, clawback.payment_refund_id) is not None:
            return False
        clawback.points_short = 0
        return True

    def of_payment(self, brand_id: int, payment_id: str) -> list[StoredRefund]:
        return self._found(PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.payment_id == payment_id)

    def add(self, brand_id: int, new: NewRefund) -> None:
        stored = new.stored
        payment_refund_id = self._session.scalars(
            insert(PaymentRefundRow).returning(PaymentRefundRow.payment_refund_id),
            {
                "brand_id": brand_id,
                "refund_id": stored.refund_id,
                "payment_id": stored.payment_id,
                "amount_minor": stored.amount_minor,
                "occurred_at": new.occurred_at,
                "business_date": new.business_date,
                "reference": stored.reference,
                "content_hash": stored.content_hash,
            },
        ).one()
        if stored.clawbacks:
            self._session.execute(insert(AwardClawbackRow), [_clawback_values(payment_refund_id, one) for one in stored.clawbacks])

    def add_failure(self, brand_id: int, refund_id: str, failure: StoredFailure, occurred_at: str) -> None:
        named = PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.refund_id == refund_id
        refund = self._session.scalars(select(PaymentRefundRow.payment_refund_id).where(*named)).one()
        failed = {"payment_refund_id": refund, "occurred_at": occurred_at, "content_hash": failure.content_hash}
        self._session.execute(insert(RefundFailureRow), failed)
        if failure.restores:
            self._session.execute(insert(AwardRestoreRow), [{"payment_refund_id": refund, **asdict(one)} for one in failure.restores])

    def _found(self, *named: Any) -> list[StoredRefund]:
        rows = self._session.scalars(select(PaymentRefundRow).where(*named).order_by(PaymentRefundRow.payment_refund_id)).all()
        clawbacks = clawbacks_of(self._session, rows)
        failures = self._failures([row.payment_refund_id for row in rows])
        carried = self._carried([row.payment_refund_id for row in rows])
        return [_refund(row, clawbacks.get(row.payment_refund_id, []), failures, carried) for row in rows]

    def _failures(self, refunds: Sequence[int]) -> dict[int, StoredFailure]:
        rows = self._session.scalars(select(RefundFailureRow).where(RefundFailureRow.payment_refund_id.in_(refunds))).all()
        restores = restores_of(self._session, [row.payment_refund_id for row in rows])
        return {row.payment_refund_id: StoredFailure(row.content_hash, tuple(restores[row.payment_refund_id])) for row in rows}

    def _carried(self, refunds: Sequence[int]) -> dict[int, list[tuple[int, Reference]]]:
        found: dict[int, list[tuple[int, Reference]]] = defaultdict(list)
        row = CarriedClawbackRow
        columns = select(row.payment_refund_id, row.number, row.reference).where(row.payment_refund_id.in_(refunds))
        for refund, number, reference in self._session.execute(columns.order_by(row.payment_refund_id, row.number, row.part)):
            found[refund].append((number, reference))
        return found


def awards_of(session: Session, purchases: Sequence[PurchaseRow]) -> dict[int, list[AwardRow]]:
    """The awards of each purchase in their order, by purchase id."""
    found: dict[int, list[AwardRow]] = defaultdict(list)
    for some in chunks(row.purchase_id for row in purchases):
        rows = select(AwardRow).where(AwardRow.purchase_id.in_(some)).order_by(AwardRow.purchase_id, AwardRow.number)
        for award in session.scalars(rows):
            found[award.purchase_id].append(award)
    return found


def clawbacks_of(session: Session, payment_refunds: Sequence[PaymentRefundRow]) -> dict[int, list[AwardClawbackRow]]:
    """The clawbacks of each payment refund by award number, by payment refund id."""
    found: dict[int, list[AwardClawbackRow]] = defaultdict(list)
    for some in chunks(row.payment_refund_id for row in payment_refunds):
        rows = select(AwardClawbackRow).where(AwardClawbackRow.payment_refund_id.in_(some))
        for clawback in session.scalars(rows.order_by(AwardClawbackRow.payment_refund_id, AwardClawbackRow.number)):
            found[clawback.payment_refund_id].append(clawback)
    return found


def restores_of(session: Session, payment_refund_ids: Sequence[int]) -> dict[int, list[AwardRestore]]:
    """What failed payment refunds give back, by award number, by payment refund id."""
    found: dict[int, list[AwardRestore]] = defaultdict(list)
    row = AwardRestoreRow
    for one in session.scalars(
        select(row).where(row.payment_refund_id.in_(payment_refund_ids)).order_by(row.payment_refund_id, row.number)
    ):
        restore = AwardRestore(one.number, one.issuer_id, Points(one.points_due), one.reference, OperationId(one.operation_id))
        found[one.payment_refund_id].append(restore)
    return found


def _purchase(row: PurchaseRow, awards: list[AwardRow]) -> StoredPurchase:
    given = tuple(_award(row, award) for award in awards)
    paid = AmountMinor(row.gross_minor - row.paid_with_points_minor)
    return StoredPurchase(row.payment_id, row.member_id, paid, row.rule_version, row.reference, row.content_hash, given)


def _award(purchase: PurchaseRow, row: AwardRow) -> Award:
    return Award(
        AwardId(purchase.brand_id, purchase.payment_id, row.number, row.issuer_id),
        row.member_id,
        Points(row.points),
        row.expiry_day,
        row.rule,
        row.rule_version,
        row.why,
        row.reference,
        None if row.operation_id is None else OperationId(row.operation_id),
        row.refused,
        Decision(row.decision_salt, row.decision),
    )


def _purchase_values(brand_id: int, purchase: Purchase, stored: StoredPurchase) -> dict[str, Any]:
    return {
        "brand_id": brand_id,
        "payment_id": purchase.payment_id,
        "member_id": purchase.member_id,
        "store": purchase.store,
        "channel": purchase.channel,
        "currency": purchase.currency,
        "gross_minor": purchase.gross_minor,
        "tax_minor": purchase.tax_minor,
        "paid_with_points_minor": purchase.paid_with_points_minor,
        "occurred_at": purchase.occurred_at.isoformat(),
        "business_date": purchase.business_date.isoformat(),
        "rule_version": stored.rule_version,
        "reference": stored.reference,
        "content_hash": stored.content_hash,
    }


def _line_values(purchase_id: int, purchase: Purchase) -> list[dict[str, Any]]:
    return [
        {
            "purchase_id": purchase_id,
            "line_number": number,
            "category": line.category,
            "quantity": line.quantity,
            "amount_minor": line.amount_minor,
        }
        for number, line in enumerate(purchase.lines, start=1)
    ]


def _award_values(purchase_id: int, stored: StoredPurchase) -> list[dict[str, Any]]:
    return [
        {
            "purchase_id": purchase_id,
            "number": award.id.number,
            "issuer_id": award.id.issuer_id,
            "member_id": award.member_id,
            "points": award.points,
            "expiry_day": award.expiry_day,
            "rule": award.rule,
            "rule_version": award.rule_version,
            "why": award.why,
            "reference": award.reference,
            "operation_id": award.operation_id,
            "refused": award.refused,
            "decision": award.decision.text,
            "decision_salt": award.decision.salt,
        }
        for award in stored.awards
    ]


def _clawback_values(payment_refund_id: int, clawback: AwardClawback) -> dict[str, Any]:
    return {
        "payment_refund_id": payment_refund_id,
        "number": clawback.number,
        "issuer_id": clawback.issuer_id,
        "points_due": clawback.points_due,
        "points_short": 0,
        "reference": clawback.reference,
        "operation_id": clawback.operation_id,
    }


def _refund(
    row: PaymentRefundRow,
    clawbacks: list[AwardClawbackRow],
    failures: Mapping[int, StoredFailure],
    carried: Mapping[int, list[tuple[int, Reference]]],
) -> StoredRefund:
    taken = tuple(
        AwardClawback(one.number, one.issuer_id, Points(one.points_due), one.reference, OperationId(one.operation_id)) for one in clawbacks
    )
    amount = AmountMinor(row.amount_minor)
    later = failures.get(row.payment_refund_id), tuple(carried.get(row.payment_refund_id, ()))
    return StoredRefund(row.refund_id, row.payment_id, amount, row.reference, row.content_hash, taken, *later)
