"""A member's points: what can be spent now, what is reserved or on its way, per brand and per lot, now or at a past block.

available = ledger - reserved - expired - not accepted - pending out, never below zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from gateway.brands.ports import Brands
from gateway.coalition.coalition import Coalition
from gateway.ledger.lots import is_expired, lot_key_order, split_lot_id
from gateway.ledger.positions import ledger_position
from gateway.members.grant_views import GrantView, ReceivedGrantView, grants_given, grants_received
from gateway.members.ports import Members
from gateway.points.holding import Holding, available_points
from gateway.points.rows import room_for
from gateway.projection.tables import LedgerBlockRow, LedgerMemberLotRow, LedgerMovementRow
from gateway.projection.views import accepting_brands
from gateway.rounds.operation import OperationKind
from gateway.rounds.tables import IS_OPEN, OperationRow
from gateway.values.calendar import expiry_date, local_day, moment
from gateway.values.errors import NotFound
from gateway.values.ids import LotId, MemberId
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class AsOfBlockView:
    number: int
    at: str


@dataclass(frozen=True, slots=True)
class LotView:
    """`points` includes `reserved`. `expiry_date` is the last day of use, null = never. `lot_id` is text: it exceeds what JSON
    numbers hold everywhere."""

    lot_id: str
    brand_id: int
    brand_name: str
    points: int
    reserved: int
    expiry_date: str | None
    expired: bool


@dataclass(frozen=True, slots=True)
class BrandPointsView:
    """Points of one issuing brand."""

    brand_id: int
    brand_name: str
    points: int
    reserved: int
    expired: int


@dataclass(frozen=True, slots=True)
class WorthView:
    """What the member's points pay at a brand: those that are `available` there. A brand takes of another's no more than it still lets
    itself be owed."""

    brand_id: int
    brand_name: str
    currency: str
    amount_minor: int
    available: int


@dataclass(frozen=True, slots=True)
class PointsView:
    """`ledger` is what the ledger holds, reserved and expired points included; `pending` is on its way in and cannot be spent,
    `pending_out` may still be taken by accepted operations. `not_accepted` are those of brands that are closed or in default, which
    nobody accepts now; at a past block nobody looks at that, nor at spend lock and grants: what the member lets others spend
    (`grants_given`) and may spend of others' (`grants_received`)."""

    member_id: str
    available: int
    reserved: int
    pending: int
    pending_out: int
    expired: int
    not_accepted: int
    ledger: int
    block: AsOfBlockView | None
    brands: list[BrandPointsView]
    lots: list[LotView]
    worth: WorthView | None
    is_locked: bool
    grants_given: list[GrantView]
    grants_received: list[ReceivedGrantView]


@dataclass(frozen=True, slots=True)
class PointsSource:
    """What a view of points looks at beside the projection. `now` in Unix seconds."""

    session: Session
    brands: Brands
    members: Members
    coalition: Coalition
    now: int


def member_points(source: PointsSource, member_id: MemberId, at_block: int | None = None, worth_at_brand: int | None = None) -> PointsView:
    """Refuses an unknown member or brand, and a block that the projection has not reached."""
    found = points_of_members(source, [member_id]) if at_block is None else _points_at(source, member_id, at_block)
    if member_id not in found:
        raise NotFound(f"there is no member {member_id}", member_id=str(member_id))
    shown, standing, now = found[member_id]
    if worth_at_brand is None:
        return shown
    return replace(shown, worth=_worth(source, worth_at_brand, standing, member_id, now))


def points_of_members(source: PointsSource, member_ids: Sequence[MemberId]) -> dict[MemberId, ShownPoints]:
    """Of those that are members, now; a few hundred at most are asked for."""
    standings = _standings(source, member_ids)
    without = [member_id for member_id in member_ids if not standings[member_id].held]
    unknown = set(without) - source.members.known(without)
    block = _block(source.session, None)
    return _shown(source, {each: standings[each] for each in member_ids if each not in unknown}, block, source.now, is_past=False)


def _points_at(source: PointsSource, member_id: MemberId, at_block: int) -> dict[MemberId, ShownPoints]:
    block = _block(source.session, at_block)
    assert block is not None
    standing = _Standing(_held_at(source.session, member_id, block.number))
    if not standing.held and not source.members.known([member_id]):
        return {}
    return _shown(source, {member_id: standing}, block, block.timestamp, is_past=True)


@dataclass(slots=True)
class _Standing:
    """What the view of one member's points is made of."""

    held: dict[LotId, tuple[int, int]] = field(default_factory=dict)
    pending: int = 0
    pending_out: int = 0
    is_locked: bool = False
    given: list[GrantView] = field(default_factory=list)
    received: list[ReceivedGrantView] = field(default_factory=list)


ShownPoints = tuple[PointsView, Holding, int]
"""The view, what can be spent of it, and the moment that it is of."""


def _standings(source: PointsSource, member_ids: Sequence[MemberId]) -> dict[MemberId, _Standing]:
    session, found = source.session, {member_id: _Standing() for member_id in member_ids}
    for member_id, lot_id, held, reserved in session.execute(_HELD, {"named": member_ids}):
        found[member_id].held[lot_id] = held, reserved
    for whose, kind, points, out in session.execute(_PENDING, {"named": member_ids}):
        assert whose is not None, "it is asked for by member"
        found[whose].pending_out += out
        if kind in (OperationKind.ISSUE, OperationKind.POINT_REFUND):
            found[whose].pending += points
    today = source.coalition.utc_offset_seconds, source.now
    given, received = grants_given(session, member_ids, *today), grants_received(session, member_ids, *today)
    locked = source.members.locked(member_ids)
    for member_id, standing in found.items():
        standing.given, standing.received, standing.is_locked = given[member_id], received[member_id], member_id in locked
    return found


def _shown(
    source: PointsSource, standings: Mapping[MemberId, _Standing], block: LedgerBlockRow | None, now: int, *, is_past: bool
) -> dict[MemberId, ShownPoints]:
    """At a past block nobody looks at who accepts what."""
    names = source.brands.names()
    accepting = None if is_past else accepting_brands(source.session, local_day(now, source.coalition.utc_offset_seconds))
    at = None if block is None else AsOfBlockView(block.number, moment(block.timestamp))
    zone = source.coalition.utc_offset_seconds
    return {
        member_id: (
            *_points_view(member_id, standing, [_lot(*lot, names, now, zone) for lot in _in_order(standing.held)], accepting, at),
            now,
        )
        for member_id, standing in standings.items()
    }


def _in_order(held: Mapping[LotId, tuple[int, int]]) -> list[tuple[LotId, int, int]]:
    return [(lot_id, *held[lot_id]) for lot_id in sorted(held, key=lot_key_order(0))]


def _points_view(
    member_id: MemberId, standing: _Standing, lots: list[LotView], accepting: frozenset[int] | None, at: AsOfBlockView | None
) -> tuple[PointsView, Holding]:
    ledger = sum(lot.points for lot in lots)
    reserved = sum(lot.reserved for lot in lots)
    expired = sum(lot.points - lot.reserved for lot in lots if lot.expired)
    refused = [] if accepting is None else [lot for lot in lots if not lot.expired and lot.brand_id not in accepting]
    not_accepted = sum(lot.points - lot.reserved for lot in refused)
    available = max(0, ledger - reserved - expired - not_accepted - standing.pending_out)
    view = PointsView(
        member_id=str(member_id),
        available=available,
        reserved=reserved,
        pending=standing.pending,
        pending_out=standing.pending_out,
        expired=expired,
        not_accepted=not_accepted,
        ledger=ledger,
        block=at,
        brands=_by_brand(lots),
        lots=lots,
        worth=None,
        is_locked=standing.is_locked,
        grants_given=standing.given,
        grants_received=standing.received,
    )
    spendable = {lot: held - kept for lot, (held, kept) in standing.held.items() if accepting is None or lot >> 32 in accepting}
    return view, Holding(spendable, Points(standing.pending_out))


def _block(session: Session, at_block: int | None) -> LedgerBlockRow | None:
    if at_block is None:
        return session.scalar(_HEAD)
    block = session.get(LedgerBlockRow, at_block)
    if block is None:
        raise NotFound(f"block {at_block} is not in the projection", at_block=at_block)
    return block


_HEAD = select(LedgerBlockRow).order_by(LedgerBlockRow.number.desc()).limit(1)
_NAMED: Any = bindparam("named", expanding=True)
_HELD = select(LedgerMemberLotRow.member_id, LedgerMemberLotRow.lot_id, LedgerMemberLotRow.held, LedgerMemberLotRow.reserved).where(
    LedgerMemberLotRow.member_id.in_(_NAMED), LedgerMemberLotRow.held > 0
)
_PENDING = select(OperationRow.member_id, OperationRow.kind, OperationRow.points, OperationRow.pending_out).where(
    OperationRow.member_id.in_(_NAMED), IS_OPEN
)


def _held_at(session: Session, member_id: MemberId, block_number: int) -> dict[LotId, tuple[int, int]]:
    row = LedgerMovementRow
    rows = session.execute(
        select(row.lot_id, func.sum(row.held_delta), func.sum(row.reserved_delta))
        .where(row.member_id == member_id, row.position < ledger_position(block_number + 1))
        .group_by(row.lot_id)
        .having(func.sum(row.held_delta) > 0)
    )
    return {lot_id: (int(held), int(reserved)) for lot_id, held, reserved in rows}


def _lot(lot_id: LotId, points: int, reserved: int, names: Mapping[int, str], now: int, utc_offset_seconds: int) -> LotView:
    brand_id, expiry_day = split_lot_id(lot_id)
    return LotView(
        str(lot_id),
        brand_id,
        names.get(brand_id, f"Brand {brand_id}"),
        points,
        reserved,
        expiry_date(expiry_day),
        is_expired(expiry_day, now, utc_offset_seconds),
    )


def _by_brand(lots: list[LotView]) -> list[BrandPointsView]:
    brands: dict[int, BrandPointsView] = {}
    for lot in sorted(lots, key=lambda lot: lot.brand_id):
        before = brands.get(lot.brand_id, BrandPointsView(lot.brand_id, lot.brand_name, 0, 0, 0))
        brands[lot.brand_id] = BrandPointsView(
            lot.brand_id,
            lot.brand_name,
            before.points + lot.points,
            before.reserved + lot.reserved,
            before.expired + (lot.points - lot.reserved if lot.expired else 0),
        )
    return list(brands.values())


def _worth(source: PointsSource, brand_id: int, holding: Holding, member_id: MemberId, now: int) -> WorthView:
    """By what the brand lets itself be owed at present, at a past block, too."""
    brand = source.brands.find(brand_id)
    if brand is None:
        raise NotFound(f"there is no brand {brand_id}", brand_id=brand_id)
    holding = replace(holding, room=room_for(source.session, brand_id, member_id, holding.unreserved))
    available = available_points(holding, brand_id, now, source.coalition.utc_offset_seconds)
    return WorthView(brand_id, brand.name, source.coalition.currency, brand.redemption.minor_for(available), available)
