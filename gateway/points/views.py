"""A member's points: what can be spent now, what is reserved or on its way, per brand and per lot, now or at a past block.

available = ledger - reserved - expired - not accepted - pending out, never below zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import func, select
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
    session = source.session
    block = _block(session, at_block)
    held = _held_at(session, member_id, block.number) if at_block is not None and block else _held(session, member_id)
    if not held and source.members.find(member_id) is None:
        raise NotFound(f"there is no member {member_id}", member_id=str(member_id))
    now = source.now if at_block is None or block is None else block.timestamp
    pending, pending_out = (0, 0) if at_block is not None else _pending(session, member_id)
    names = source.brands.names()
    lots = [
        _lot(lot_id, points, reserved, names, now, source.coalition.utc_offset_seconds)
        for lot_id, (points, reserved) in sorted(held.items(), key=lambda item: lot_key_order(0)(item[0]))
    ]
    ledger = sum(lot.points for lot in lots)
    reserved = sum(lot.reserved for lot in lots)
    expired = sum(lot.points - lot.reserved for lot in lots if lot.expired)
    accepting = accepting_brands(session, local_day(now, source.coalition.utc_offset_seconds))
    refused = [] if at_block is not None else [lot for lot in lots if not lot.expired and lot.brand_id not in accepting]
    not_accepted = sum(lot.points - lot.reserved for lot in refused)
    available = max(0, ledger - reserved - expired - not_accepted - pending_out)
    today = source.coalition.utc_offset_seconds, now
    spendable = {lot: points - reserved for lot, (points, reserved) in held.items() if at_block is not None or lot >> 32 in accepting}
    holding = Holding(spendable, Points(pending_out))
    return PointsView(
        str(member_id),
        available,
        reserved,
        pending,
        pending_out,
        expired,
        not_accepted,
        ledger,
        None if block is None else AsOfBlockView(block.number, moment(block.timestamp)),
        _by_brand(lots),
        lots,
        None if worth_at_brand is None else _worth(source, worth_at_brand, holding, member_id, now),
        source.members.is_locked(member_id) if at_block is None else False,
        grants_given(session, member_id, *today) if at_block is None else [],
        grants_received(session, member_id, *today) if at_block is None else [],
    )


def _block(session: Session, at_block: int | None) -> LedgerBlockRow | None:
    if at_block is None:
        return session.scalar(select(LedgerBlockRow).order_by(LedgerBlockRow.number.desc()).limit(1))
    block = session.get(LedgerBlockRow, at_block)
    if block is None:
        raise NotFound(f"block {at_block} is not in the projection", at_block=at_block)
    return block


def _held(session: Session, member_id: MemberId) -> dict[LotId, tuple[int, int]]:
    row = LedgerMemberLotRow
    rows = session.execute(select(row.lot_id, row.held, row.reserved).where(row.member_id == member_id, row.held > 0))
    return {lot_id: (held, reserved) for lot_id, held, reserved in rows}


def _held_at(session: Session, member_id: MemberId, block_number: int) -> dict[LotId, tuple[int, int]]:
    row = LedgerMovementRow
    rows = session.execute(
        select(row.lot_id, func.sum(row.held_delta), func.sum(row.reserved_delta))
        .where(row.member_id == member_id, row.position < ledger_position(block_number + 1))
        .group_by(row.lot_id)
        .having(func.sum(row.held_delta) > 0)
    )
    return {lot_id: (int(held), int(reserved)) for lot_id, held, reserved in rows}


def _pending(session: Session, member_id: MemberId) -> tuple[int, int]:
    """(on its way in, may still go out)."""
    pending = pending_out = 0
    rows = session.execute(
        select(OperationRow.kind, OperationRow.points, OperationRow.pending_out).where(OperationRow.member_id == member_id, IS_OPEN)
    )
    for kind, points, out in rows:
        pending_out += out
        if kind in (OperationKind.ISSUE, OperationKind.POINT_REFUND):
            pending += points
    return pending, pending_out


def _lot(lot_id: LotId, points: int, reserved: int, names: dict[int, str], now: int, utc_offset_seconds: int) -> LotView:
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
