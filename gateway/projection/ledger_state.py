"""Reads a part of the projection into the model's state: every brand, and the members and reservations that are named.

Lot totals and what brands owe are left at zero, so that what the model adds to them are the changes to write back.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import BindParameter, bindparam, select
from sqlalchemy.orm import Session

from gateway.ledger.brand_states import BrandState
from gateway.ledger.members import authorizer_id
from gateway.ledger.state import (
    BrandRecord,
    GrantRecord,
    LedgerState,
    MemberRecord,
    ReservationRecord,
    ReservationState,
    ReservedLot,
)
from gateway.ledger.terms import LedgerTerms, TermsVersion
from gateway.projection.member_tables import LedgerGrantRow, LedgerMemberRow
from gateway.projection.tables import (
    LedgerAuthorizerRow,
    LedgerBrandRow,
    LedgerBrandTermsRow,
    LedgerExposureLimitRow,
    LedgerExposureRow,
    LedgerMemberLotRow,
    LedgerReservationLotRow,
    LedgerReservationRow,
)
from gateway.store.chunks import chunks
from gateway.values.ids import MemberId, ReservationId

BRAND_STATUS = {state: state.name.lower() for state in BrandState}
RESERVATION_STATUS = {ReservationState.OPEN: "open", ReservationState.CAPTURED: "captured", ReservationState.VOIDED: "voided"}
_BRAND_STATUS_OF = {name: status for status, name in BRAND_STATUS.items()}
_RESERVATION_STATE_OF = {name: state for state, name in RESERVATION_STATUS.items()}

# Made once: each block and each round asks all of them, and making a statement takes longer than a short answer to it.
_NAMED: BindParameter[MemberId] = bindparam("named", expanding=True)
_BRANDS = select(LedgerBrandRow)
_TERMS = select(LedgerBrandTermsRow).order_by(LedgerBrandTermsRow.brand_id, LedgerBrandTermsRow.number)
_EXPOSURE_LIMITS, _EXPOSURE = select(LedgerExposureLimitRow), select(LedgerExposureRow)
_LOTS = select(LedgerMemberLotRow.member_id, LedgerMemberLotRow.lot_id, LedgerMemberLotRow.held, LedgerMemberLotRow.reserved).where(
    LedgerMemberLotRow.member_id.in_(_NAMED)
)
_AUTHORIZERS = select(LedgerAuthorizerRow.member_id, LedgerAuthorizerRow.authorizer_id, LedgerAuthorizerRow.kind).where(
    LedgerAuthorizerRow.member_id.in_(_NAMED)
)
_MEMBERS = select(LedgerMemberRow).where(LedgerMemberRow.member_id.in_(_NAMED))
_GRANTS = select(LedgerGrantRow).where(LedgerGrantRow.giver_id.in_(_NAMED))


def load_state(session: Session, members: Collection[MemberId], reservation_ids: Collection[ReservationId]) -> LedgerState:
    """The state of all brands, of these reservations and their members, and of these members."""
    state = LedgerState()
    for brand in session.scalars(_BRANDS):
        state.brands[brand.brand_id] = BrandRecord(_BRAND_STATUS_OF[brand.status], brand.issue_limit, brand.outstanding, brand.last_day)
    _load_terms_and_exposure(session, state)
    _load_reservations(session, state, reservation_ids)
    everyone = set(members) | {reservation.member for reservation in state.reservations.values()}
    for some in chunks(sorted(everyone)):
        for member_id, lot_id, held, reserved in session.execute(_LOTS, {"named": some}):
            state.held[member_id, lot_id] = held
            state.reserved[member_id, lot_id] = reserved
        for member_id, known_as, kind in session.execute(_AUTHORIZERS, {"named": some}):
            state.members.setdefault(member_id, MemberRecord()).authorizers[known_as] = kind
        _load_acts(session, state, some)
    return state


def _load_acts(session: Session, state: LedgerState, members: Collection[MemberId]) -> None:
    """What the members' acts left: their figures, locks, guardians and grants. Not what waits."""
    for row in session.scalars(_MEMBERS, {"named": members}):
        record = state.members.setdefault(row.member_id, MemberRecord())
        record.acts, record.turn, record.epoch, record.is_locked = row.acts, row.turn, row.epoch, row.is_locked
        record.guardian = authorizer_id(row.guardian_kind, row.guardian) if row.guardian_kind else None
    for grant in session.scalars(_GRANTS, {"named": members}):
        state.members.setdefault(grant.giver_id, MemberRecord()).grants[grant.granted_to] = grant_record(grant)


def _load_terms_and_exposure(session: Session, state: LedgerState) -> None:
    for version in session.scalars(_TERMS):
        state.brands[version.brand_id].terms.versions.append(terms_version(version))
    for limit in session.scalars(_EXPOSURE_LIMITS):
        state.brands[limit.acceptor_id].exposure_limits[limit.issuer_id] = limit.most
    for exposed in session.scalars(_EXPOSURE):
        state.exposure[exposed.issuer_id, exposed.acceptor_id] = exposed.points


def grant_record(row: LedgerGrantRow) -> GrantRecord:
    """As the ledger has it."""
    limits = row.per_purchase, row.per_day, row.in_all, row.until
    return GrantRecord(*limits, row.spent_in_all, row.spent_on_day, row.spent_day)


def terms_version(row: LedgerBrandTermsRow) -> TermsVersion:
    """As the ledger's format has it."""
    rates = row.par_numerator, row.par_denominator, row.redemption_numerator, row.redemption_denominator
    return TermsVersion(LedgerTerms(*rates, row.fee_basis_points, row.run_off_days, row.notice_days), row.number, row.valid_from)


def _load_reservations(session: Session, state: LedgerState, reservation_ids: Collection[ReservationId]) -> None:
    for some in chunks(sorted(reservation_ids)):
        for row in session.scalars(select(LedgerReservationRow).where(LedgerReservationRow.reservation_id.in_(some))):
            status = _RESERVATION_STATE_OF[row.status]
            state.reservations[row.reservation_id] = ReservationRecord(row.member_id, row.brand_id, row.deadline, status, {})
        for lot in session.scalars(select(LedgerReservationLotRow).where(LedgerReservationLotRow.reservation_id.in_(some))):
            state.reservations[lot.reservation_id].lots[lot.lot_id] = ReservedLot(
                lot.reserved, lot.captured, lot.refunded, lot.discount_minor, lot.terms_number
            )
