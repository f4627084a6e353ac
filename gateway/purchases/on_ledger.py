"""Purchases and payment refunds beside what the ledger has under their references: what a reconciliation compares with payment records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, select

from gateway.projection.tables import LedgerEntryRow
from gateway.purchases.tables import PaymentRefundRow, PurchaseRow
from gateway.rounds.operation import OperationKind
from gateway.rounds.tables import OperationRow
from gateway.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class PurchaseOnLedger:
    """`points_due` by its rule; `points_issued` is None where no issue stands on the ledger; `status` and `reason` are the operation's."""

    payment_id: str
    currency: str
    paid_minor: int
    business_date: date
    points_due: int
    points_issued: int | None
    status: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class RefundOnLedger:
    """`clawed_back`: an accepted clawback stands under the refund's reference."""

    refund_id: str
    payment_id: str
    amount_minor: int
    business_date: date
    points_due: int
    clawed_back: bool
    status: str | None
    reason: str | None


class SqlPurchasesOnLedger:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def purchases(self, brand_id: int) -> list[PurchaseOnLedger]:
        """Every purchase of the brand."""
        rows = self._session.execute(
            select(
                PurchaseRow.payment_id,
                PurchaseRow.currency,
                PurchaseRow.gross_minor - PurchaseRow.paid_with_points_minor,
                PurchaseRow.business_date,
                PurchaseRow.member_id,
                PurchaseRow.points,
                LedgerEntryRow.points,
                OperationRow.status,
                OperationRow.reason,
            )
            .outerjoin(OperationRow, OperationRow.operation_id == PurchaseRow.operation_id)
            .outerjoin(LedgerEntryRow, _recorded(PurchaseRow, OperationKind.ISSUE))
            .where(PurchaseRow.brand_id == brand_id)
        )
        return [
            PurchaseOnLedger(
                payment_id,
                currency,
                paid_minor,
                date.fromisoformat(business_date),
                points if member_id is not None else 0,
                issued,
                status,
                reason,
            )
            for payment_id, currency, paid_minor, business_date, member_id, points, issued, status, reason in rows
        ]

    def refunds(self, brand_id: int) -> list[RefundOnLedger]:
        """Every payment refund of the brand."""
        rows = self._session.execute(
            select(
                PaymentRefundRow.refund_id,
                PaymentRefundRow.payment_id,
                PaymentRefundRow.amount_minor,
                PaymentRefundRow.business_date,
                PaymentRefundRow.points_due,
                LedgerEntryRow.position,
                OperationRow.status,
                OperationRow.reason,
            )
            .outerjoin(OperationRow, OperationRow.operation_id == PaymentRefundRow.operation_id)
            .outerjoin(LedgerEntryRow, _recorded(PaymentRefundRow, OperationKind.CLAWBACK))
            .where(PaymentRefundRow.brand_id == brand_id)
        )
        return [
            RefundOnLedger(refund_id, payment_id, amount, date.fromisoformat(business_date), due, position is not None, status, reason)
            for refund_id, payment_id, amount, business_date, due, position, status, reason in rows
        ]


def _recorded(row: type[PurchaseRow | PaymentRefundRow], kind: OperationKind) -> ColumnElement[bool]:
    """Joins the accepted entry under the row's reference."""
    return and_(
        LedgerEntryRow.brand_id == row.brand_id,
        LedgerEntryRow.reference == row.reference,
        LedgerEntryRow.kind == kind.value,
        LedgerEntryRow.refused_reason.is_(None),
    )
