"""Reads a part of the projection into the model's state: every brand, and the members and reservations that are named.

Lot totals and what brands owe are left at zero, so that what the model adds to them are the changes to write back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.ledger.state import BrandRecord, BrandState, LedgerState, MemberRecord, ReservationRecord, ReservationState, ReservedLot
from gateway.projection.tables import LedgerAuthorizerRow, LedgerBrandRow, LedgerMemberLotRow, LedgerReservationLotRow, LedgerReservationRow

BRAND_STATUS = {BrandState.ACTIVE: "active", BrandState.SUSPENDED: "suspended", BrandState.EXITED: "exited"}
RESERVATION_STATUS = {ReservationState.OPEN: "open", ReservationState.CAPTURED: "captured", ReservationState.VOIDED: "voided"}
_BRAND_STATUS_OF = {name: status for status, name in BRAND_STATUS.items()}
_RESERVATION_STATE_OF = {name: state for state, name in RESERVATION_STATUS.items()}
_NAMES_IN_ONE_QUERY = 500


def load_state(session: Session, members: Collection[bytes], reservation_ids: Collection[bytes]) -> LedgerState:
    """The state of all brands, of these reservations and their members, and of these members."""
    state = LedgerState()
    for brand in session.scalars(select(LedgerBrandRow)):
        state.brands[brand.brand_id] = BrandRecord(_BRAND_STATUS_OF[brand.status], brand.issue_limit, brand.outstanding)
    _load_reservations(session, state, reservation_ids)
    everyone = set(members) | {reservation.member for reservation in state.reservations.values()}
    for names in _slices(everyone):
        lots = select(LedgerMemberLotRow.member_id, LedgerMemberLotRow.lot_id, LedgerMemberLotRow.held, LedgerMemberLotRow.reserved)
        for member_id, lot_id, held, reserved in session.execute(lots.where(LedgerMemberLotRow.member_id.in_(names))):
            key = (bytes.fromhex(member_id[2:]), lot_id)
            state.held[key] = held
            state.reserved[key] = reserved
        for row in session.scalars(select(LedgerAuthorizerRow).where(LedgerAuthorizerRow.member_id.in_(names))):
            record = state.members.setdefault(bytes.fromhex(row.member_id[2:]), MemberRecord())
            record.authorizers[bytes.fromhex(row.authorizer_id[2:])] = row.kind
    return state


def _load_reservations(session: Session, state: LedgerState, reservation_ids: Collection[bytes]) -> None:
    for names in _slices(reservation_ids):
        for row in session.scalars(select(LedgerReservationRow).where(LedgerReservationRow.reservation_id.in_(names))):
            state.reservations[bytes.fromhex(row.reservation_id[2:])] = ReservationRecord(
                bytes.fromhex(row.member_id[2:]), row.brand_id, row.deadline, _RESERVATION_STATE_OF[row.status], {}
            )
        for lot in session.scalars(select(LedgerReservationLotRow).where(LedgerReservationLotRow.reservation_id.in_(names))):
            reservation = state.reservations[bytes.fromhex(lot.reservation_id[2:])]
            reservation.lots[lot.lot_id] = ReservedLot(lot.reserved, lot.captured, lot.refunded)


def _slices(names: Collection[bytes]) -> Iterator[list[str]]:
    ordered = sorted("0x" + name.hex() for name in names)
    for start in range(0, len(ordered), _NAMES_IN_ONE_QUERY):
        yield ordered[start : start + _NAMES_IN_ONE_QUERY]
