"""The model's spending side: authorize, redeem, capture, void, point refund, transfer, and the release that anybody may do."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ledger.consents import reservation_id_of, spender_of, transfer_digest, transfer_terms
from gateway.ledger.discounts import allotted_discounts, refund_discount
from gateway.ledger.effects import Effect, Movement, OwedChange
from gateway.ledger.entries import (
    BRAND_GRANT,
    GRANTED_PROOF_LENGTH,
    MAX_RESERVED,
    MEMBER_GRANT,
    Authorize,
    Capture,
    PointRefund,
    Redeem,
    Transfer,
    Void,
)
from gateway.ledger.lots import Line, split_lot_id
from gateway.ledger.model_base import ModelBase, Skip, require
from gateway.ledger.model_members import consent_refusal, grant_refusal
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.state import ReservationRecord, ReservationState, ReservedLot
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.ids import Hash, LotId, MemberId, ReservationId

MAX_CONSENT_SECONDS = 7 * SECONDS_PER_DAY


class SpendingModel(ModelBase):
    """Exposure is kept as reservations come and go; what is owed goes to the terms of the authorization."""

    def release(self, reservation_id: ReservationId, timestamp: int) -> tuple[Movement, ...]:
        """A release that the contract let through: of an open reservation after its deadline."""
        reservation = self.state.reservations[reservation_id]
        assert reservation.state is ReservationState.OPEN, "the contract would have reverted"
        assert timestamp > reservation.deadline, "the contract would have reverted"
        reservation.state = ReservationState.VOIDED
        movements = self._set_free(reservation, sorted(reservation.lots), timestamp)
        for movement in movements:
            self.state.move(movement)
        return movements

    def _authorize(self, brand: int, entry: Authorize | Redeem, timestamp: int) -> Effect:
        require(self.accepts(brand, timestamp), RefusalReason.BRAND_NOT_ACCEPTING)
        self._require_deadline(entry.deadline, timestamp)
        digest = reservation_id_of(self.domain, brand, entry)
        require(digest not in self.state.reservations, RefusalReason.CONSENT_USED)
        self._require_lots(brand, entry, timestamp)
        self._require_consent(brand, entry, digest, timestamp)

        at_once = isinstance(entry, Redeem)
        state = ReservationState.CAPTURED if at_once else ReservationState.OPEN
        discounts = allotted_discounts(entry.discount, [line.points for line in entry.lines])
        lots = {
            line.lot_id: ReservedLot(line.points, line.points if at_once else 0, 0, discount, self._terms(brand, line, timestamp))
            for line, discount in zip(entry.lines, discounts, strict=True)
        }
        reservation = ReservationRecord(entry.member, brand, entry.deadline, state, lots)
        self.state.reservations[digest] = reservation
        for line in entry.lines:
            self._expose(line.brand_id, brand, line.points)
        if not at_once:
            movements = tuple(Movement(entry.member, line.lot_id, 0, line.points) for line in entry.lines)
            return Effect(entry, entry.member, movements, reservation_id=digest)
        for line in entry.lines:
            self.state.lots[line.lot_id].redeemed += line.points
        movements = tuple(Movement(entry.member, line.lot_id, -line.points, 0) for line in entry.lines)
        return Effect(entry, entry.member, movements, _owed(reservation, entry.lines, 1), digest)

    def _require_lots(self, brand: int, entry: Authorize | Redeem, timestamp: int) -> None:
        record, asked = self.state.brands[brand], dict[int, int]()
        for line in entry.lines:
            require(line.points > 0, RefusalReason.ZERO_POINTS)
            require(line.points <= MAX_RESERVED, RefusalReason.TOO_MANY_POINTS)
            require(not self._expired(line.expiry_day, timestamp), RefusalReason.LOT_EXPIRED)
            require(self.state.unreserved(entry.member, line.lot_id) >= line.points, RefusalReason.NOT_ENOUGH_POINTS)
            if line.brand_id == brand:
                continue
            require(self.accepts(line.brand_id, timestamp), RefusalReason.POINTS_NOT_ACCEPTED)
            asked[line.brand_id] = asked.get(line.brand_id, 0) + line.points
            exposed = self.state.exposure.get((line.brand_id, brand), 0) + asked[line.brand_id]
            require(exposed <= record.exposure_limits.get(line.brand_id, 0), RefusalReason.EXPOSURE_EXCEEDED)
        require(sum(line.points for line in entry.lines) == entry.points, RefusalReason.POINTS_MISMATCH)
        terms = record.terms.held(timestamp).terms
        require(entry.discount >= entry.points * terms.redemption_minor // terms.redemption_points, RefusalReason.DISCOUNT_TOO_LOW)

    def _require_consent(self, brand: int, entry: Authorize | Redeem, digest: ReservationId, timestamp: int) -> None:
        """A grant is used up last of all."""
        kind, proof = entry.proof.kind, entry.proof.proof
        if kind not in (MEMBER_GRANT, BRAND_GRANT):
            self._require_approval(entry.member, digest, kind, proof)
            return
        spender = spender_of(entry)
        if kind == MEMBER_GRANT:
            self._require_approval(spender, digest, proof[20], proof[GRANTED_PROOF_LENGTH:])
        to = spender.rjust(32, b"\0") if kind == MEMBER_GRANT else brand.to_bytes(32)
        giver = self.state.members.get(entry.member)
        refusal = grant_refusal(giver, Hash(to), entry.points, self._day(timestamp), timestamp)
        if refusal is not None:
            raise Skip(refusal)

    def _require_approval(self, member: MemberId, digest: bytes, kind: int, proof: bytes) -> None:
        """By one of the member's own authorizers; a claim key approves of nothing."""
        refusal = consent_refusal(self.state.members.get(member), self.proofs, digest, kind, proof)
        if refusal is not None:
            raise Skip(refusal)

    def _require_deadline(self, deadline: int, timestamp: int) -> None:
        require(deadline >= timestamp, RefusalReason.CONSENT_EXPIRED)
        require(deadline <= timestamp + MAX_CONSENT_SECONDS, RefusalReason.CONSENT_TOO_LONG)

    def _capture(self, brand: int, entry: Capture, timestamp: int) -> Effect:
        reservation = self._reservation(entry.reservation_id)
        require(reservation.brand_id == brand, RefusalReason.NOT_ACCEPTING_BRAND)
        require(reservation.state == ReservationState.OPEN, RefusalReason.RESERVATION_CLOSED)
        require(timestamp <= reservation.deadline, RefusalReason.DEADLINE_PASSED)
        require(len(entry.lines) == len(reservation.lots), RefusalReason.LINES_MISMATCH)
        for line in entry.lines:
            require(line.lot_id in reservation.lots, RefusalReason.LINES_MISMATCH)
            require(line.points <= reservation.lots[line.lot_id].authorized, RefusalReason.TOO_MANY_POINTS)
        captured = sum(line.points for line in entry.lines)
        require(captured > 0, RefusalReason.ZERO_POINTS)
        require(entry.discount == reservation.discount_of(captured), RefusalReason.DISCOUNT_MISMATCH)
        movements = []
        for line, discount in zip(entry.lines, allotted_discounts(entry.discount, [line.points for line in entry.lines]), strict=True):
            lot = reservation.lots[line.lot_id]
            lot.captured, lot.discount = line.points, discount
            self.state.lots[line.lot_id].redeemed += line.points
            self._expose(line.brand_id, brand, line.points - lot.authorized)
            movements.append(Movement(reservation.member, line.lot_id, -line.points, -lot.authorized))
        reservation.state = ReservationState.CAPTURED
        owed = _owed(reservation, entry.lines, 1)
        return Effect(entry, reservation.member, tuple(movements), owed, entry.reservation_id)

    def _void(self, brand: int, entry: Void, timestamp: int) -> Effect:
        reservation = self._reservation(entry.reservation_id)
        require(reservation.brand_id == brand, RefusalReason.NOT_ACCEPTING_BRAND)
        require(reservation.state == ReservationState.OPEN, RefusalReason.RESERVATION_CLOSED)
        named = {line.lot_id: line.points for line in entry.lines}
        require(named == {lot: part.authorized for lot, part in reservation.lots.items()}, RefusalReason.LINES_MISMATCH)
        reservation.state = ReservationState.VOIDED
        movements = self._set_free(reservation, [line.lot_id for line in entry.lines], timestamp)
        return Effect(entry, reservation.member, movements, reservation_id=entry.reservation_id)

    def _set_free(self, reservation: ReservationRecord, lots: Sequence[LotId], timestamp: int) -> tuple[Movement, ...]:
        """Points of a lot that expired while they were kept past the deadline are good for some time more."""
        movements = []
        for lot in lots:
            issuer, expiry_day = split_lot_id(lot)
            points = reservation.lots[lot].authorized
            self._expose(issuer, reservation.brand_id, -points)
            if timestamp <= reservation.deadline or not self._expired(expiry_day, timestamp):
                movements.append(Movement(reservation.member, lot, 0, -points))
                continue
            grace = self._grace_lot(issuer, timestamp)
            self.state.lots[lot].moved -= points
            self.state.lots[grace].moved += points
            movements.append(Movement(reservation.member, lot, -points, -points))
            movements.append(Movement(reservation.member, grace, points, 0))
        return tuple(movements)

    def _refund(self, brand: int, entry: PointRefund, timestamp: int) -> Effect:
        reservation = self._reservation(entry.reservation_id)
        require(reservation.brand_id == brand, RefusalReason.NOT_ACCEPTING_BRAND)
        discount = 0
        for line in entry.lines:
            require(line.points > 0, RefusalReason.ZERO_POINTS)
            lot = reservation.lots.get(line.lot_id) or ReservedLot(0)
            require(line.points <= lot.captured - lot.refunded, RefusalReason.TOO_MANY_POINTS)
            discount += refund_discount(lot.discount, lot.captured, lot.refunded, line.points)
        require(entry.discount == discount, RefusalReason.DISCOUNT_MISMATCH)
        movements = []
        for line in entry.lines:
            reservation.lots[line.lot_id].refunded += line.points
            self._expose(line.brand_id, brand, -line.points)
            destination = self._lot_or_grace(line, timestamp)
            self.state.lots[destination].refunded += line.points
            movements.append(Movement(reservation.member, destination, line.points, 0))
        owed = _owed(reservation, entry.lines, -1)
        return Effect(entry, reservation.member, tuple(movements), owed, entry.reservation_id)

    def _transfer(self, brand: int, entry: Transfer, timestamp: int) -> Effect:
        require(self.accepts(brand, timestamp), RefusalReason.BRAND_NOT_ACCEPTING)
        self._require_deadline(entry.deadline, timestamp)
        digest = transfer_digest(self.domain, transfer_terms(entry))
        require(digest not in self.state.reservations, RefusalReason.CONSENT_USED)
        for line in entry.lines:
            require(line.points > 0, RefusalReason.ZERO_POINTS)
            require(not self._expired(line.expiry_day, timestamp), RefusalReason.LOT_EXPIRED)
            require(self.state.unreserved(entry.giver, line.lot_id) >= line.points, RefusalReason.NOT_ENOUGH_POINTS)
        self._require_approval(entry.giver, digest, entry.giver_proof.kind, entry.giver_proof.proof)
        self._require_approval(entry.taker, digest, entry.taker_proof.kind, entry.taker_proof.proof)
        self.state.reservations[digest] = ReservationRecord(entry.giver, brand, entry.deadline, ReservationState.TRANSFERRED, {})
        movements = [
            Movement(member, line.lot_id, points, 0)
            for line in entry.lines
            for member, points in ((entry.giver, -line.points), (entry.taker, line.points))
        ]
        return Effect(entry, entry.giver, tuple(movements), reservation_id=digest)

    def _reservation(self, reservation_id: ReservationId) -> ReservationRecord:
        reservation = self.state.reservations.get(reservation_id)
        if reservation is None:
            raise Skip(RefusalReason.UNKNOWN_RESERVATION)
        return reservation

    def _terms(self, brand: int, line: Line, timestamp: int) -> int:
        return 0 if line.brand_id == brand else self.state.brands[line.brand_id].terms.held(timestamp).number

    def _expose(self, issuer: int, acceptor: int, points: int) -> None:
        if issuer != acceptor and points:
            self.state.exposure[issuer, acceptor] += points


def _owed(reservation: ReservationRecord, lines: Sequence[Line], sign: int) -> tuple[OwedChange, ...]:
    """What other issuers owe the accepting brand more (sign 1) or less (sign -1) by these lines."""
    acceptor = reservation.brand_id
    foreign = [line for line in lines if line.brand_id != acceptor and line.points]
    return tuple(OwedChange(line.brand_id, acceptor, reservation.lots[line.lot_id].terms, sign * line.points) for line in foreign)
