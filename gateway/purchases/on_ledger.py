"""Purchases and payment refunds beside what the ledger has of their awards: what a reconciliation compares with payment records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from gateway.projection.tables import LedgerEntryRow
from gateway.purchases.clawback import WRITTEN_OFF
from gateway.purchases.tables import AwardClawbackRow, AwardRow, PaymentRefundRow, PurchaseRow
from gateway.rounds.operation import OperationKind, OperationStatus
from gateway.rounds.tables import OperationRow
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.money import AmountMinor
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class PurchaseOnLedger:
    """`points_due` by all awards that were accepted; `points_issued` is None where no issue of them stands on the ledger.

    `status` and `reason` are those of the first award's operation that is not confirmed, or of the first.
    """

    payment_id: str
    currency: str
    paid_minor: AmountMinor
    business_date: date
    points_due: Points
    points_issued: Points | None
    status: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class RefundOnLedger:
    """`is_done`: of every award, what was due stands on the ledger or was written off, since it was spent."""

    refund_id: str
    payment_id: str
    amount_minor: AmountMinor
    business_date: date
    is_done: bool
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
                AwardRow.points,
                LedgerEntryRow.points,
                OperationRow.status,
                OperationRow.reason,
            )
            .outerjoin(AwardRow, and_(AwardRow.purchase_id == PurchaseRow.purchase_id, AwardRow.operation_id.is_not(None)))
            .outerjoin(OperationRow, OperationRow.operation_id == AwardRow.operation_id)
            .outerjoin(LedgerEntryRow, _recorded(AwardRow, OperationKind.ISSUE))
            .where(PurchaseRow.brand_id == brand_id)
            .order_by(PurchaseRow.purchase_id, AwardRow.number)
        )
        return [_purchase(group) for group in _grouped(rows, 4)]

    def refunds(self, brand_id: int) -> list[RefundOnLedger]:
        """Every payment refund of the brand."""
        rows = self._session.execute(
            select(
                PaymentRefundRow.refund_id,
                PaymentRefundRow.payment_id,
                PaymentRefundRow.amount_minor,
                PaymentRefundRow.business_date,
                AwardClawbackRow.points_due,
                LedgerEntryRow.position,
                OperationRow.status,
                OperationRow.reason,
            )
            .outerjoin(AwardClawbackRow, AwardClawbackRow.payment_refund_id == PaymentRefundRow.payment_refund_id)
            .outerjoin(OperationRow, OperationRow.operation_id == AwardClawbackRow.operation_id)
            .outerjoin(LedgerEntryRow, _recorded(AwardClawbackRow, OperationKind.CLAWBACK))
            .where(PaymentRefundRow.brand_id == brand_id)
            .order_by(PaymentRefundRow.payment_refund_id, AwardClawbackRow.number)
        )
        return [_refund(group) for group in _grouped(rows, 4)]


Group = tuple[tuple[Any, ...], list[tuple[Any, ...]]]


def _grouped(rows: Iterable[Any], width: int) -> list[Group]:
    """(the first columns, the rest of each row with them): one purchase with its awards, one refund with its clawbacks."""
    groups: list[Group] = []
    for row in rows:
        head, rest = tuple(row[:width]), tuple(row[width:])
        if not groups or groups[-1][0] != head:
            groups.append((head, []))
        if rest[0] is not None:
            groups[-1][1].append(rest)
    return groups


def _purchase(group: Group) -> PurchaseOnLedger:
    (payment_id, currency, paid_minor, business_date), awards = group
    issued = [points for _, points, _, _ in awards if points is not None]
    due = sum(points for points, _, _, _ in awards)
    on_ledger = sum(issued) if issued else None
    return PurchaseOnLedger(payment_id, currency, paid_minor, date.fromisoformat(business_date), due, on_ledger, *_state(awards))


def _refund(group: Group) -> RefundOnLedger:
    (refund_id, payment_id, amount_minor, business_date), clawbacks = group
    is_done = all(position is not None or _written_off(status, reason) for _, position, status, reason in clawbacks)
    return RefundOnLedger(refund_id, payment_id, amount_minor, date.fromisoformat(business_date), is_done, *_state(clawbacks))


def _state(parts: list[tuple[Any, ...]]) -> tuple[str | None, str | None]:
    """(status, reason) of the first part that is not confirmed, or of the first."""
    states = [(status, reason) for _, _, status, reason in parts]
    return next((state for state in states if state[0] != OperationStatus.CONFIRMED), states[0] if states else (None, None))


def _written_off(status: str | None, reason: str | None) -> bool:
    return status == OperationStatus.REFUSED and (reason or "").startswith(WRITTEN_OFF)


def _recorded(row: type[AwardRow | AwardClawbackRow], kind: OperationKind) -> ColumnElement[bool]:
    """Joins the accepted entry under the row's reference."""
    return and_(
        LedgerEntryRow.brand_id == row.issuer_id,
        LedgerEntryRow.reference == row.reference,
        LedgerEntryRow.kind == kind.value,
        LedgerEntryRow.refused_reason.is_(None),
    )
