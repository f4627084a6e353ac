// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RUNNING_OFF} from "./BrandState.sol";
import {Clearing} from "./Clearing.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";
import {IMembers} from "./IMembers.sol";
import {Lots} from "./Lots.sol";
import {Packed} from "./Packed.sol";
import {Points} from "./Points.sol";
import {ACCEPTED, Refusals} from "./Refusals.sol";

/// Entries by which a member's points are spent at an accepting brand: authorize, capture, void, redeem, point refund.
abstract contract Redemption is Points, CoalitionDomain, Clearing, Refusals {
    uint256 private constant MAX_CONSENT_SECONDS = 7 days;
    uint256 private constant CONSENT_PROOF = 77; // where proofLength ends: kind, member, reference, nonce, deadline, points, proofKind
    uint256 private constant RESERVATION_LINES = 65;
    bytes32 private constant CONSENT_TYPE = keccak256(
        "Consent(address member,uint32 brand,uint64 points,bytes32 reference,uint64 nonce,uint40 deadline)"
    );

    enum Stage {
        NONE,
        OPEN,
        CAPTURED,
        VOIDED
    }

    struct Reservation {
        address member;
        uint32 brand;
        uint40 deadline;
        Stage stage;
        uint8 lots;
    }

    struct ReservedLot {
        uint64 authorized;
        uint64 captured;
        uint64 refunded;
    }

    struct Consent {
        address member;
        uint256 points;
        uint256 deadline;
        uint256 proof;
        uint256 lines;
    }

    IMembers public immutable members;

    /// By the EIP-712 digest of the member's consent.
    mapping(bytes32 id => Reservation) public reservation;
    mapping(bytes32 id => mapping(uint256 lotId => ReservedLot)) public reservationLot;

    error MembersOfAnotherLedger(address pointsLedger);

    constructor(IMembers members_) {
        if (members_.pointsLedger() != address(this)) revert MembersOfAnotherLedger(members_.pointsLedger());
        members = members_;
    }

    /// kind ‖ member (20) ‖ reference (32) ‖ nonce (8) ‖ deadline (5) ‖ points (8) ‖ proofKind (1) ‖ proofLength (2) ‖ proof ‖ lines
    function _authorize(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        Consent memory consent;
        bytes32 id;
        {
            bytes4 reason;
            (consent, id, reason) = _readConsent(batch, start, end);
            if (reason != ACCEPTED) return reason;
        }
        _openReservation(batch, id, consent, Stage.OPEN, end);
        for (uint256 line = consent.lines; line < end; line += Packed.LINE_LENGTH) {
            (uint256 lotId, uint256 points) = Packed.line(line);
            reservationLot[id][lotId] = ReservedLot({authorized: uint64(points), captured: 0, refunded: 0});
            _reserve(consent.member, lotId, points);
        }
        return ACCEPTED;
    }

    /// Authorize and capture in one step; same body as authorize.
    function _redeem(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        Consent memory consent;
        bytes32 id;
        {
            bytes4 reason;
            (consent, id, reason) = _readConsent(batch, start, end);
            if (reason != ACCEPTED) return reason;
        }
        _openReservation(batch, id, consent, Stage.CAPTURED, end);
        for (uint256 line = consent.lines; line < end; line += Packed.LINE_LENGTH) {
            (uint256 lotId, uint256 points) = Packed.line(line);
            reservationLot[id][lotId] =
                ReservedLot({authorized: uint64(points), captured: uint64(points), refunded: 0});
            _take(batch, consent.member, lotId, points, 0);
            _owe(lotId, batch.brand, int256(points));
        }
        return ACCEPTED;
    }

    /// kind ‖ reservationId (32) ‖ reference (32) ‖ lines: every lot of the reservation; the rest is released
    function _capture(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (!Packed.areLines(start + RESERVATION_LINES, end)) return MalformedEntry.selector;
            bytes32 id = Packed.word(start + 1);
            Reservation memory of_ = reservation[id];
            if (of_.stage == Stage.NONE) return UnknownReservation.selector;
            if (of_.brand != batch.brand) return NotAcceptingBrand.selector;
            if (of_.stage != Stage.OPEN) return ReservationClosed.selector;
            if (block.timestamp > of_.deadline) return DeadlinePassed.selector;
            uint256 first = start + RESERVATION_LINES + 1;
            if (of_.lots != (end - first) / Packed.LINE_LENGTH) return LinesMismatch.selector;
            uint256 total;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                uint256 authorized = reservationLot[id][lotId].authorized;
                if (authorized == 0) return LinesMismatch.selector;
                if (points > authorized) return TooManyPoints.selector;
                total += points;
            }
            if (total == 0) return ZeroPoints.selector;

            reservation[id].stage = Stage.CAPTURED;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                ReservedLot storage lot = reservationLot[id][lotId];
                lot.captured = uint64(points);
                _take(batch, of_.member, lotId, points, lot.authorized);
                _owe(lotId, batch.brand, int256(points));
            }
            return ACCEPTED;
        }
    }

    /// kind ‖ reservationId (32) ‖ reference (32) ‖ lines: every lot of the reservation with what was reserved
    function _void(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (!Packed.areLines(start + RESERVATION_LINES, end)) return MalformedEntry.selector;
            bytes32 id = Packed.word(start + 1);
            Reservation memory of_ = reservation[id];
            if (of_.stage == Stage.NONE) return UnknownReservation.selector;
            // After the deadline any brand may release what the accepting brand left behind.
            if (of_.brand != batch.brand && block.timestamp <= of_.deadline) return NotAcceptingBrand.selector;
            if (of_.stage != Stage.OPEN) return ReservationClosed.selector;
            uint256 first = start + RESERVATION_LINES + 1;
            if (of_.lots != (end - first) / Packed.LINE_LENGTH) return LinesMismatch.selector;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                uint256 authorized = reservationLot[id][lotId].authorized;
                if (authorized == 0 || points != authorized) return LinesMismatch.selector;
            }

            reservation[id].stage = Stage.VOIDED;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                _release(of_.member, lotId, points);
            }
            return ACCEPTED;
        }
    }

    /// kind ‖ reservationId (32) ‖ reference (32) ‖ lines: original lots with the points given back
    function _refundPoints(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (!Packed.areLines(start + RESERVATION_LINES, end)) return MalformedEntry.selector;
            bytes32 id = Packed.word(start + 1);
            Reservation memory of_ = reservation[id];
            if (of_.stage == Stage.NONE) return UnknownReservation.selector;
            if (of_.brand != batch.brand) return NotAcceptingBrand.selector;
            uint256 first = start + RESERVATION_LINES + 1;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                ReservedLot memory lot = reservationLot[id][lotId];
                if (points == 0) return ZeroPoints.selector;
                if (points > lot.captured - lot.refunded) return TooManyPoints.selector;
            }

            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                reservationLot[id][lotId].refunded += uint64(points);
                _owe(lotId, batch.brand, -int256(points));
                if (Lots.isExpired(Lots.expiryDayOf(lotId), batch.localDay)) {
                    lotId = Lots.id(lotId >> 32, Lots.graceExpiryDay(batch.localDay));
                }
                _give(batch, of_.member, lotId, points);
            }
            return ACCEPTED;
        }
    }

    /// Everything that must hold before points are reserved or redeemed: status, deadline, one use, lots, consent.
    function _readConsent(Batch memory batch, uint256 start, uint256 end)
        private
        view
        returns (Consent memory consent, bytes32 id, bytes4 reason)
    {
        unchecked {
            if (end - start < CONSENT_PROOF) return (consent, 0, MalformedEntry.selector);
            uint256 proofLength = Packed.read(start + 75, 2);
            consent.lines = start + CONSENT_PROOF + proofLength;
            if (!Packed.areLines(consent.lines++, end)) return (consent, 0, MalformedEntry.selector);
            if (batch.state > RUNNING_OFF) return (consent, 0, BrandNotAccepting.selector);
            consent.member = address(uint160(Packed.read(start + 1, 20)));
            consent.deadline = Packed.read(start + 61, 5);
            consent.points = Packed.read(start + 66, 8);
            if (consent.deadline < block.timestamp) return (consent, 0, ConsentExpired.selector);
            if (consent.deadline > block.timestamp + MAX_CONSENT_SECONDS) {
                return (consent, 0, ConsentTooLong.selector);
            }
            id = _consentDigest(batch, consent, Packed.word(start + 21), Packed.read(start + 53, 8));
            if (reservation[id].stage != Stage.NONE) return (consent, id, ConsentUsed.selector);
            reason = _checkLots(batch, consent, end);
            if (reason != ACCEPTED) return (consent, id, reason);
            reason = members.consents(
                consent.member, id, Packed.read(start + 74, 1), Packed.slice(start + CONSENT_PROOF, proofLength)
            );
        }
    }

    function _checkLots(Batch memory batch, Consent memory consent, uint256 end) private view returns (bytes4) {
        unchecked {
            uint256 total;
            for (uint256 line = consent.lines; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                if (points == 0) return ZeroPoints.selector;
                if (Lots.isExpired(Lots.expiryDayOf(lotId), batch.localDay)) return LotExpired.selector;
                if (_unreserved(consent.member, lotId) < points) return NotEnoughPoints.selector;
                if (!_isAccepted(batch, lotId)) return PointsNotAccepted.selector;
                total += points;
            }
            return total == consent.points ? ACCEPTED : PointsMismatch.selector;
        }
    }

    /// Of a brand that closed or is in default nobody accepts points: who would, might never be paid.
    function _isAccepted(Batch memory batch, uint256 lotId) private view returns (bool) {
        if (lotId >> 32 == batch.brand) return true;
        return brands.brandState(Lots.brandOf(lotId)) <= RUNNING_OFF;
    }

    function _openReservation(Batch memory batch, bytes32 id, Consent memory consent, Stage stage, uint256 end)
        private
    {
        reservation[id] = Reservation({
            member: consent.member,
            brand: uint32(batch.brand),
            deadline: uint40(consent.deadline),
            stage: stage,
            lots: uint8((end - consent.lines) / Packed.LINE_LENGTH)
        });
    }

    function _consentDigest(Batch memory batch, Consent memory consent, bytes32 ref, uint256 nonce)
        private
        view
        returns (bytes32)
    {
        return _digest(
            keccak256(
                abi.encode(CONSENT_TYPE, consent.member, batch.brand, consent.points, ref, nonce, consent.deadline)
            )
        );
    }
}
