"""Transfer points to another member: both sign, lot by lot, and nothing of the lots changes. Any brand that accepts points carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.brands.brand import Brand, check_accepts
from gateway.coalition.coalition import Coalition
from gateway.ledger.consents import TransferTerms, lines_hash, transfer_digest, transfer_typed_data
from gateway.ledger.entries import ConsentProof
from gateway.ledger.lots import Line, is_expired
from gateway.ledger.packed_fields import MAX_LINES
from gateway.ledger.signing import Domain
from gateway.members.ports import Members
from gateway.members.signed_consent import check_consent, check_deadline, check_nonce
from gateway.members.spending_leave import check_not_locked
from gateway.points.holding import Holding, check_points, lines_for
from gateway.points.ports import HeldByMembers, Transfers
from gateway.rounds.lot_operation import TransferOperation
from gateway.rounds.ports import Operations
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import Invalid, LotExpired, NotEnoughPoints, WrongState
from gateway.values.ids import LotId, MemberId, OperationId, ReservationId
from gateway.values.points import Points

MIN_TRANSFER_SECONDS = 30
MAX_TRANSFER_SECONDS = 7 * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class TransferOffer:
    """What both sides sign: these lines, once, until `deadline` (Unix seconds)."""

    giver_id: MemberId
    taker_id: MemberId
    lines: tuple[Line, ...]
    nonce: int
    deadline: int

    @property
    def points(self) -> Points:
        return Points(sum(line.points for line in self.lines))

    def digest(self, domain: Domain) -> ReservationId:
        """What is signed; at the same time the transfer's id."""
        return transfer_digest(domain, self._terms())

    def typed_data(self, domain: Domain) -> dict[str, Any]:
        """The JSON that wallets sign."""
        return transfer_typed_data(domain, self._terms())

    def _terms(self) -> TransferTerms:
        return TransferTerms(self.giver_id, self.taker_id, lines_hash(self.lines), self.nonce, self.deadline)


def draft_transfer(
    giver: MemberId,
    taker: MemberId,
    asked: Points,
    issuer_id: int | None,
    *,
    carrier: Brand,
    coalition: Coalition,
    members: Members,
    points: HeldByMembers,
    nonce: int,
    deadline: int,
    now: int,
) -> TransferOffer:
    """What both can be asked to sign: the lots that expire next, of one issuer where one is named. Stores nothing."""
    check_accepts(carrier)
    _check_sides(giver, taker, members)
    check_deadline(deadline, now)
    holding = points.holding(giver)
    if issuer_id is not None:
        of_issuer = {lot: there for lot, there in holding.unreserved.items() if lot >> 32 == issuer_id}
        holding = Holding(of_issuer, holding.pending_out)
    lines = lines_for(holding, asked, carrier.brand_id, now, coalition.utc_offset_seconds)
    return TransferOffer(giver, taker, tuple(lines), nonce, deadline)


def transfer(
    offer: TransferOffer,
    giver_proof: ConsentProof,
    taker_proof: ConsentProof,
    *,
    carrier: Brand,
    coalition: Coalition,
    members: Members,
    points: HeldByMembers,
    transfers: Transfers,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> OperationId:
    """The operation's id; what both have signed is good once."""
    check_nonce(offer.nonce)
    _check_lines(offer.lines)
    check_accepts(carrier)
    _check_sides(offer.giver_id, offer.taker_id, members)
    check_deadline(offer.deadline, now)
    transfer_id = offer.digest(coalition.signing_domain)
    check_consent(transfer_id, giver_proof.kind, giver_proof.proof, members.authorizers(offer.giver_id))
    check_consent(transfer_id, taker_proof.kind, taker_proof.proof, members.authorizers(offer.taker_id))
    if transfers.is_done(transfer_id) or operations.pending_on(transfer_id):
        raise WrongState("this transfer was made before: ask for another one to sign", transfer_id=str(transfer_id))
    _check_held(offer.lines, points.holding(offer.giver_id), now, coalition.utc_offset_seconds)
    terms = transfer_id, offer.lines, offer.nonce, offer.deadline
    operations.accept(
        TransferOperation(operation_id, carrier.brand_id, offer.giver_id, offer.taker_id, *terms, giver_proof, taker_proof), now
    )
    return operation_id


def _check_sides(giver: MemberId, taker: MemberId, members: Members) -> None:
    if giver == taker:
        raise Invalid("a transfer is to another member", field="taker_id")
    check_not_locked(giver, members)
    check_not_locked(taker, members)


def _check_lines(lines: Sequence[Line]) -> None:
    if not 0 < len(lines) <= MAX_LINES or len({line.lot_id for line in lines}) < len(lines):
        raise Invalid(f"a transfer names from 1 to {MAX_LINES} lots, each once", field="lines")
    for line in lines:
        check_points(line.points)


def _check_held(lines: Sequence[Line], holding: Holding, now: int, utc_offset_seconds: int) -> None:
    """What is on its way out may come from any lot, so a lot gives what it has beyond that."""
    for line in lines:
        if is_expired(line.expiry_day, now, utc_offset_seconds):
            raise LotExpired("the transfer names a lot that is over: ask for another one to sign", lot_id=str(line.lot_id))
        there = max(0, holding.unreserved.get(LotId(line.lot_id), 0) - holding.pending_out)
        if line.points > there:
            short = f"{line.points} points of lot {line.lot_id} asked for, {there} can be moved: ask for another transfer to sign"
            raise NotEnoughPoints(short, lot_id=str(line.lot_id), points=line.points, available=there)
