"""The facts a reconciliation looks at, and the results of reconciliations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.orm import Session

from gateway.payments.record import PaymentRecord, RecordKind
from gateway.payments.tables import PaymentRecordRow
from gateway.projection.tables import LedgerBlockRow, LedgerEntryRow
from gateway.purchases.tables import PaymentRefundRow, PurchaseRow
from gateway.reconciliation.facts import ExpectedPayment, Facts, KeptRecord, ReportedRefund
from gateway.reconciliation.matching import Reconciled
from gateway.reconciliation.tables import BreakRow, MatchRecordRow, MatchRow, PayoutRow, ReconciliationRow
from gateway.rounds.operation import OperationKind, OperationStatus
from gateway.rounds.tables import OperationRow
from gateway.store.chunks import chunks

WRITTEN_OFF = "nothing_left_to_claw_back"
_ROWS_AT_ONCE = 5000
_RECORD_COLUMNS = PaymentRecordRow.__table__.columns


class SqlReconciliationFacts:
    """Purchases and refunds with their entries as the projection has them, and the records of all files."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def head_block(self) -> int:
        return self._session.scalar(select(func.max(LedgerBlockRow.number))) or 0

    def gather(self, brand_id: int, cut_off: date) -> Facts:
        return Facts(cut_off, self._payments(brand_id), self._refunds(brand_id), self._records(brand_id, cut_off))

    def _payments(self, brand_id: int) -> tuple[ExpectedPayment, ...]:
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
        return tuple(
            ExpectedPayment(
                payment_id,
                currency,
                paid_minor,
                date.fromisoformat(business_date),
                points if member_id is not None else 0,
                issued,
                _state("issue", status, reason),
            )
            for payment_id, currency, paid_minor, business_date, member_id, points, issued, status, reason in rows
        )

    def _refunds(self, brand_id: int) -> tuple[ReportedRefund, ...]:
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
        return tuple(
            ReportedRefund(
                refund_id,
                payment_id,
                amount_minor,
                date.fromisoformat(business_date),
                points_due == 0 or position is not None or _written_off(status, reason),
                _state("clawback", status, reason),
            )
            for refund_id, payment_id, amount_minor, business_date, points_due, position, status, reason in rows
        )

    def _records(self, brand_id: int, cut_off: date) -> tuple[KeptRecord, ...]:
        rows = self._session.execute(
            select(*(_RECORD_COLUMNS[name] for name in ("payment_record_id", *PaymentRecord.__slots__))).where(
                PaymentRecordRow.brand_id == brand_id, PaymentRecordRow.business_date <= cut_off.isoformat()
            )
        )
        return tuple(KeptRecord(record_id, _record(values)) for record_id, *values in rows)


class SqlReconciliations:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, reconciliation_id: str, brand_id: int, cut_off: date, at_block: int, result: Reconciled, at: int) -> None:
        self._session.execute(
            insert(ReconciliationRow).values(
                reconciliation_id=reconciliation_id,
                brand_id=brand_id,
                cut_off_date=cut_off.isoformat(),
                at_block=at_block,
                summary=json.dumps(summary_of(result), sort_keys=True),
                created_at=at,
            )
        )
        frame = {"reconciliation_id": reconciliation_id, "brand_id": brand_id}
        self._add_matches(frame, result)
        self._add_breaks(frame, result)
        self._insert(PayoutRow, [frame | {name: getattr(one, name) for name in one.__slots__} for one in result.payouts])

    def _add_matches(self, frame: dict[str, object], result: Reconciled) -> None:
        numbered = list(enumerate(result.matches, start=1))
        matches = [
            frame | {"match_number": number, "payment_id": one.payment_id, "kind": one.kind.value, "amount_minor": one.amount_minor}
            for number, one in numbered
        ]
        claims = [
            {"reconciliation_id": frame["reconciliation_id"], "match_number": number, "payment_record_id": record_id}
            for number, one in numbered
            for record_id in one.payment_record_ids
        ]
        self._insert(MatchRow, matches)
        self._insert(MatchRecordRow, claims)

    def _add_breaks(self, frame: dict[str, object], result: Reconciled) -> None:
        breaks = []
        for number, one in enumerate(result.breaks, start=1):
            values = {name: getattr(one, name) for name in one.__slots__}
            breaks.append(frame | values | {"break_number": number, "kind": one.kind.value})
        self._insert(BreakRow, breaks)

    def _insert(self, row: type[MatchRow | MatchRecordRow | BreakRow | PayoutRow], values: list[dict[str, object]]) -> None:
        for some in chunks(values, _ROWS_AT_ONCE):
            self._session.connection().execute(insert(row), some)  # past the ORM: twice as fast


def summary_of(result: Reconciled) -> dict[str, object]:
    """The figures of a result."""
    matched = Counter(one.kind.value for one in result.matches)
    remainders = [one for one in result.payouts if one.remainder_minor]
    return {
        "records": result.record_count,
        "matches": {"charge": matched["charge"], "refund": matched["refund"]},
        "records_matched": sum(len(one.payment_record_ids) for one in result.matches),
        "breaks": result.breaks_by_kind,
        "purchases_not_due": result.not_due_count,
        "refunds_without_record": len(result.refunds_without_record),
        "payouts": len(result.payouts),
        "payouts_with_remainder": len(remainders),
    }


def _recorded(row: type[PurchaseRow | PaymentRefundRow], kind: OperationKind) -> ColumnElement[bool]:
    """Joins the accepted entry under the row's reference."""
    return and_(
        LedgerEntryRow.brand_id == row.brand_id,
        LedgerEntryRow.reference == row.reference,
        LedgerEntryRow.kind == kind.value,
        LedgerEntryRow.refused_reason.is_(None),
    )


def _record(values: Sequence[Any]) -> PaymentRecord:
    """From the columns in the order of the record's fields."""
    line_number, provider, kind, *middle, business_date, payout_id = values
    fields = (line_number, provider, RecordKind(kind), *middle, date.fromisoformat(business_date), payout_id)
    return PaymentRecord(*fields)


def _written_off(status: str | None, reason: str | None) -> bool:
    return status == OperationStatus.REFUSED and (reason or "").startswith(WRITTEN_OFF)


def _state(what: str, status: str | None, reason: str | None) -> str:
    if status is None:
        return f"there is no {what} operation"
    return f"its {what} is {status}" + (f" ({reason})" if reason else "")
