"""Authorizations (reservations) as the ledger has them, or on their way to it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.ledger.entries import BRAND_GRANT, MEMBER_GRANT
from gateway.ledger.lots import split_lot_id
from gateway.projection.tables import LedgerReservationLotRow, LedgerReservationRow
from gateway.rounds.operation import AuthorizeOperation, OperationKind, RedeemOperation, RedemptionOperation
from gateway.rounds.operation_codec import operation_of
from gateway.rounds.tables import OperationRow
from gateway.rounds.views import OperationView, find_operations
from gateway.values.calendar import expiry_date, moment
from gateway.values.errors import NotFound
from gateway.values.hex import hex_text
from gateway.values.ids import ReservationId


@dataclass(frozen=True, slots=True)
class AuthorizationLot:
    lot_id: str
    brand_id: int
    expiry_date: str | None
    reserved: int
    captured: int
    refunded: int
    discount_minor: int


@dataclass(frozen=True, slots=True)
class AuthorizationView:
    """`status`: open, captured or voided on the ledger; accepted, packed or refused before it is there. `discount_minor`: what belongs to
    the points, once captured to those that were. `spender_id`: who consented, the member or another one under a grant; null under a grant
    to the brand, and where this database never saw the consent.
    """

    reservation_id: str
    brand_id: int
    member_id: str
    spender_id: str | None
    order_id: str | None
    points: int
    discount_minor: int
    captured: int
    refunded: int
    deadline: str
    status: str
    lots: list[AuthorizationLot]
    operations: list[OperationView]


def find_authorization(session: Session, reservation_id: ReservationId) -> AuthorizationView:
    """Refuses a reservation that is neither on the ledger nor on its way."""
    rows = list(session.scalars(select(OperationRow).where(OperationRow.reservation_id == reservation_id).order_by(OperationRow.sequence)))
    opening = next((row for row in rows if row.kind in (OperationKind.AUTHORIZE, OperationKind.REDEEM)), None)
    found = find_operations(session, [row.operation_id for row in rows])
    operations = [found[row.operation_id] for row in rows]
    asked = operation_of(opening) if opening is not None else None
    assert asked is None or isinstance(asked, AuthorizeOperation | RedeemOperation)
    row = session.get(LedgerReservationRow, reservation_id)
    if row is not None:
        lots = _lots(session, reservation_id)
        return AuthorizationView(
            str(reservation_id),
            row.brand_id,
            str(row.member_id),
            _spender(asked),
            None if asked is None else asked.order_id,
            row.points,
            sum(lot.discount_minor for lot in lots),
            row.captured,
            row.refunded,
            moment(row.deadline),
            row.status,
            lots,
            operations,
        )
    if opening is None or asked is None:
        raise NotFound(f"there is no reservation {reservation_id}")
    return AuthorizationView(
        str(reservation_id),
        asked.brand_id,
        str(asked.member_id),
        _spender(asked),
        asked.order_id,
        asked.points,
        asked.discount_minor,
        0,
        0,
        moment(asked.deadline),
        opening.status,
        [],
        operations,
    )


def _spender(asked: RedemptionOperation | None) -> str | None:
    if asked is None or asked.proof_kind == BRAND_GRANT:
        return None
    return hex_text(asked.proof[:20]) if asked.proof_kind == MEMBER_GRANT else str(asked.member_id)


def _lots(session: Session, reservation_id: ReservationId) -> list[AuthorizationLot]:
    row = LedgerReservationLotRow
    lots = []
    for lot in session.scalars(select(row).where(row.reservation_id == reservation_id).order_by(row.lot_id)):
        brand_id, expiry_day = split_lot_id(lot.lot_id)
        points = lot.reserved, lot.captured, lot.refunded
        lots.append(AuthorizationLot(str(lot.lot_id), brand_id, expiry_date(expiry_day), *points, lot.discount_minor))
    return lots
