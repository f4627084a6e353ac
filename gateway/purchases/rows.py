"""Purchases and payment refunds. (brand, payment id) and (brand, refund id) are unique by constraint."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import insert, select

from gateway.purchases.ports import NewRefund, StoredPurchase, StoredRefund
from gateway.purchases.purchase import Purchase
from gateway.purchases.tables import PaymentRefundRow, PurchaseLineRow, PurchaseRow
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork


class SqlPurchases:
    """New purchases are inserted together when the unit of work ends."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._seen: dict[tuple[int, str], StoredPurchase | None] = {}
        self._new: list[tuple[int, Purchase, StoredPurchase]] = []
        work.before_reading(self.flush)

    def find(self, brand_id: int, payment_id: str) -> StoredPurchase | None:
        if (brand_id, payment_id) not in self._seen:
            self.prefetch(brand_id, [payment_id])
        return self._seen[brand_id, payment_id]

    def prefetch(self, brand_id: int, payment_ids: Iterable[str]) -> None:
        """Reads many purchases at once."""
        for some in chunks({one for one in payment_ids if (brand_id, one) not in self._seen}):
            self._seen.update({(brand_id, one): None for one in some})
            for row in self._session.scalars(select(PurchaseRow).where(PurchaseRow.brand_id == brand_id, PurchaseRow.payment_id.in_(some))):
                self._seen[brand_id, row.payment_id] = _purchase(row)

    def add(self, brand_id: int, purchase: Purchase, stored: StoredPurchase) -> None:
        self._seen[brand_id, purchase.payment_id] = stored
        self._new.append((brand_id, purchase, stored))

    def flush(self) -> None:
        if not self._new:
            return
        ids = self._session.scalars(
            insert(PurchaseRow).returning(PurchaseRow.purchase_id, sort_by_parameter_order=True),
            [_purchase_values(*new) for new in self._new],
        ).all()
        lines = [
            {
                "purchase_id": purchase_id,
                "line_number": number,
                "category": line.category,
                "quantity": line.quantity,
                "amount_minor": line.amount_minor,
            }
            for purchase_id, (_, purchase, _) in zip(ids, self._new, strict=True)
            for number, line in enumerate(purchase.lines, start=1)
        ]
        if lines:
            self._session.execute(insert(PurchaseLineRow), lines)
        self._new.clear()


class SqlPaymentRefunds:
    """Payment refunds, written at once: the next refund of the same payment must see them."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def find(self, brand_id: int, refund_id: str) -> StoredRefund | None:
        row = self._session.scalar(
            select(PaymentRefundRow).where(PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.refund_id == refund_id)
        )
        return None if row is None else _refund(row)

    def of_payment(self, brand_id: int, payment_id: str) -> list[StoredRefund]:
        rows = self._session.scalars(
            select(PaymentRefundRow)
            .where(PaymentRefundRow.brand_id == brand_id, PaymentRefundRow.payment_id == payment_id)
            .order_by(PaymentRefundRow.payment_refund_id)
        )
        return [_refund(row) for row in rows]

    def add(self, brand_id: int, new: NewRefund) -> None:
        stored = new.stored
        self._session.execute(
            insert(PaymentRefundRow).values(
                brand_id=brand_id,
                refund_id=stored.refund_id,
                payment_id=stored.payment_id,
                amount_minor=stored.amount_minor,
                occurred_at=new.occurred_at,
                business_date=new.business_date,
                points_due=stored.points_due,
                points_short=0,
                reference=stored.reference,
                content_hash=stored.content_hash,
                operation_id=stored.operation_id,
            )
        )


def _purchase(row: PurchaseRow) -> StoredPurchase:
    return StoredPurchase(
        row.payment_id,
        row.member_id,
        row.gross_minor - row.paid_with_points_minor,
        row.points,
        row.rule_version,
        row.reference,
        row.content_hash,
        row.operation_id,
    )


def _purchase_values(brand_id: int, purchase: Purchase, stored: StoredPurchase) -> dict[str, object]:
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
        "points": stored.points,
        "reference": stored.reference,
        "content_hash": stored.content_hash,
        "operation_id": stored.operation_id,
    }


def _refund(row: PaymentRefundRow) -> StoredRefund:
    return StoredRefund(row.refund_id, row.payment_id, row.amount_minor, row.points_due, row.reference, row.content_hash, row.operation_id)
