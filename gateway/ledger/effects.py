"""What an entry did to the ledger: movements of points and changes of what brands owe, or the reason it did nothing."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.entries import Entry
from gateway.ledger.refusals import RefusalReason
from gateway.values.ids import LotId, MemberId, ReservationId


@dataclass(frozen=True, slots=True)
class Movement:
    """Points of one lot of one member; `held_delta` includes what `reserved_delta` names."""

    member: MemberId
    lot_id: LotId
    held_delta: int
    reserved_delta: int


@dataclass(frozen=True, slots=True)
class OwedChange:
    """Points that the issuer owes the accepting brand more (or, negative, less) than before."""

    issuer: int
    acceptor: int
    terms: int  # the issuer's version that held at the authorization
    points: int


@dataclass(frozen=True, slots=True)
class Effect:
    """An entry that counted. `reservation_id` stands for authorize, redeem, capture, void, point refund and transfer."""

    entry: Entry
    member: MemberId
    movements: tuple[Movement, ...]
    owed: tuple[OwedChange, ...] = ()
    reservation_id: ReservationId | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that was skipped; `entry` is None where the bytes are no entry."""

    reason: RefusalReason
    entry: Entry | None
