"""Redemption: what a member can spend now, what it is worth, and whether the member really consented.

available = ledger - reserved - pending out, over lots that have not expired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from gateway.domain.errors import ConsentRefused, Invalid, NotEnoughPoints, WrongState
from gateway.domain.ledger import lots, signing
from gateway.domain.ledger.entries import MAX_LINES
from gateway.domain.ledger.members import AuthorizerKind
from gateway.domain.members import Authorizer
from gateway.domain.money import MAX_POINTS_PER_ENTRY, Ratio

MAX_CONSENT_SECONDS = 7 * lots.SECONDS_PER_DAY
MAX_NONCE = 2**53 - 1  # a JSON number that every client reads exactly
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@dataclass(frozen=True, slots=True)
class Holding:
    """A member's unreserved points by lot id, and the points that accepted operations may still take."""

    unreserved: Mapping[int, int]
    pending_out: int


@dataclass(frozen=True, slots=True)
class Consent:
    """What the member signed: `points` for the accepting brand, once, until `deadline` (Unix seconds)."""

    member_id: bytes
    brand_id: int
    points: int
    reference: bytes
    nonce: int
    deadline: int

    def digest(self, domain: signing.Domain) -> bytes:
        """What is signed; at the same time the reservation id."""
        return signing.consent_digest(domain, self.member_id, self.brand_id, self.points, self.reference, self.nonce, self.deadline)

    def typed_data(self, domain: signing.Domain) -> dict[str, object]:
        """The JSON that a wallet signs."""
        return signing.consent_typed_data(domain, self.member_id, self.brand_id, self.points, self.reference, self.nonce, self.deadline)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A reservation as the ledger has it, with what accepted operations already do to it."""

    reservation_id: str
    member_id: str
    brand_id: int
    points: int
    captured: int
    refunded: int
    deadline: int
    status: str


def available_points(holding: Holding, now: int, utc_offset_seconds: int) -> int:
    """What the member can spend now; never below zero."""
    usable = sum(
        points
        for lot_id, points in holding.unreserved.items()
        if not lots.is_expired(lots.split_lot_id(lot_id)[1], now, utc_offset_seconds)
    )
    return max(0, usable - holding.pending_out)


def lines_for(holding: Holding, points: int, brand_id: int, now: int, utc_offset_seconds: int) -> list[lots.Line]:
    """The lots that a redemption would take now; refuses what is not available or needs more lots than an entry holds."""
    check_points(points)
    available = available_points(holding, now, utc_offset_seconds)
    if points > available:
        raise NotEnoughPoints(f"{points} points asked for, {available} available", points=points, available=available)
    lines = lots.choose_lots(holding.unreserved, points, brand_id, now, utc_offset_seconds)
    if len(lines) > MAX_LINES:
        at_once = sum(line.points for line in lines[:MAX_LINES])
        raise WrongState(f"one redemption takes from at most {MAX_LINES} lots: {at_once} points at once", available_at_once=at_once)
    return lines


def available_at_once(holding: Holding, brand_id: int, now: int, utc_offset_seconds: int) -> int:
    """The most that one redemption can take: what is available, from as many lots as an entry holds."""
    available = available_points(holding, now, utc_offset_seconds)
    if available == 0:
        return 0
    lines = lots.choose_lots(holding.unreserved, available, brand_id, now, utc_offset_seconds)
    return sum(line.points for line in lines[:MAX_LINES])


def points_to_cover(amount_minor: int, redemption: Ratio, at_once: int) -> int:
    """The points that cover the amount, or as many as can be spent."""
    return min(redemption.points_for(amount_minor), at_once)


def check_points(points: int) -> None:
    """Points of one entry are a positive whole number of a sensible size."""
    if not 0 < points <= MAX_POINTS_PER_ENTRY:
        raise Invalid(f"points must be from 1 to {MAX_POINTS_PER_ENTRY}", field="points")


def check_deadline(deadline: int, now: int) -> None:
    """A consent's deadline lies ahead, at most seven days."""
    if deadline <= now:
        raise ConsentRefused("the consent's deadline has passed", deadline=deadline, now=now)
    if deadline > now + MAX_CONSENT_SECONDS:
        raise ConsentRefused("the consent's deadline is more than 7 days ahead", deadline=deadline, now=now)


def check_consent(digest: bytes, proof_kind: int, proof: bytes, authorizers: Iterable[Authorizer]) -> None:
    """Refuses unless one of the member's keys signed the digest. A claim key may not spend."""
    if proof_kind != AuthorizerKind.KEY:
        raise ConsentRefused("this coalition accepts consent by a member's key (proof kind 1)", proof_kind=proof_kind)
    signer = _signer(digest, proof)
    if not any(authorizer.kind == AuthorizerKind.KEY and authorizer.authorizer == signer for authorizer in authorizers):
        raise ConsentRefused("the consent is not signed by one of the member's keys over these very terms")


def check_can_capture(reservation: Reservation, points: int, now: int) -> None:
    """A capture takes from an open reservation, no more than it holds and no later than its deadline."""
    check_points(points)
    _check_open(reservation)
    if now > reservation.deadline:
        raise WrongState("the reservation's deadline has passed", deadline=reservation.deadline, now=now)
    if points > reservation.points:
        raise NotEnoughPoints(f"{reservation.points} points are reserved", points=points, reserved=reservation.points)


def check_can_void(reservation: Reservation, brand_id: int, now: int) -> None:
    """The accepting brand may release a reservation; after its deadline any brand may."""
    _check_open(reservation)
    if brand_id != reservation.brand_id and now <= reservation.deadline:
        raise WrongState("until its deadline only the accepting brand may void a reservation", deadline=reservation.deadline)


def check_can_refund(reservation: Reservation, points: int, pending_refunds: int) -> None:
    """Point refunds together never exceed what was captured."""
    check_points(points)
    if reservation.status != "captured":
        raise WrongState(f"the reservation is {reservation.status}, nothing of it was captured", status=reservation.status)
    left = reservation.captured - reservation.refunded - pending_refunds
    if points > left:
        raise NotEnoughPoints(f"{left} captured points are left to give back", points=points, left=left)


def _check_open(reservation: Reservation) -> None:
    if reservation.status != "open":
        raise WrongState(f"the reservation is {reservation.status}", status=reservation.status)


def _signer(digest: bytes, proof: bytes) -> bytes:
    """The address whose key signed, by the contract's rules: 65 bytes, v 27 or 28, low s."""
    if len(proof) != 65 or proof[64] not in (27, 28):
        raise ConsentRefused("a key's signature is 65 bytes r, s, v with v 27 or 28")
    r, s = int.from_bytes(proof[:32]), int.from_bytes(proof[32:64])
    if s > _HALF_ORDER:
        raise ConsentRefused("the signature's s is not in the lower half")
    try:
        return Signature(vrs=(proof[64] - 27, r, s)).recover_public_key_from_msg_hash(digest).to_canonical_address()
    except (BadSignature, ValidationError) as wrong:
        raise ConsentRefused("the signature is no signature of secp256k1") from wrong
