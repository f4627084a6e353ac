// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clearing} from "./Clearing.sol";
import {Discounts} from "./Discounts.sol";
import {Lots} from "./Lots.sol";
import {Packed} from "./Packed.sol";
import {Points} from "./Points.sol";
import {ACCEPTED, Refusals} from "./Refusals.sol";

/// What becomes of points that were authorized: capture, void, point refund, and the release that anybody may do after the deadline.
abstract contract Reservations is Points, Clearing, Refusals {
    uint256 private constant RESERVATION_HEAD = 65; // kind, reservationId, reference
    uint256 private constant DISCOUNT = 8;

    enum Stage {
        NONE,
        OPEN,
        CAPTURED,
        VOIDED,
        TRANSFERRED // no reservation: the digest of a transfer, which is good once
    }

    struct Reservation {
        address member;
        uint32 brand;
        uint40 deadline;
        Stage stage;
        uint8 lots;
    }

    struct ReservedLot {
        uint56 authorized;
        uint56 captured;
        uint56 refunded;
        uint56 discount; // for what is authorized, from the capture on for what was captured
        uint32 terms; // of the issuer, at the authorization; zero for the accepting brand's own points
    }

    /// By the EIP-712 digest of what the member signed, or of the brand's use of a grant.
    mapping(bytes32 id => Reservation) public reservation;
    mapping(bytes32 id => mapping(uint256 lotId => ReservedLot)) public reservationLot;

    event ReservationReleased(bytes32 indexed id, address indexed member, uint32 indexed brand);

    error NothingToRelease();
    error DeadlineNotPassed(uint40 deadline);
    error NotItsLots();

    /// By anybody after the deadline, also during a pause. `lots`: all of the reservation, ascending.
    function release(bytes32 id, uint256[] calldata lots) external {
        Reservation memory of_ = reservation[id];
        if (of_.stage != Stage.OPEN) revert NothingToRelease();
        if (block.timestamp <= of_.deadline) revert DeadlineNotPassed(of_.deadline);
        if (lots.length != of_.lots) revert NotItsLots();
        Batch memory work = _openBatch(0, 0, 0); // of no brand
        reservation[id].stage = Stage.VOIDED;
        uint256 before;
        for (uint256 i = 0; i < lots.length; ++i) {
            uint256 points = reservationLot[id][lots[i]].authorized;
            if (points == 0 || lots[i] <= before) revert NotItsLots();
            before = lots[i];
            _setFree(work, of_, lots[i], points);
        }
        _closeBatch(work);
        emit ReservationReleased(id, of_.member, of_.brand);
    }

    /// kind ‖ reservationId (32) ‖ reference (32) ‖ discount (8) ‖ lines: every lot of the reservation; the rest is released
    function _capture(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            uint256 first = start + RESERVATION_HEAD + DISCOUNT;
            if (!Packed.areLines(first++, end)) return MalformedEntry.selector;
            bytes32 id = Packed.word(start + 1);
            Reservation memory of_ = reservation[id];
            if (of_.stage == Stage.NONE) return UnknownReservation.selector;
            if (of_.brand != batch.brand) return NotAcceptingBrand.selector;
            if (of_.stage != Stage.OPEN) return ReservationClosed.selector;
            if (block.timestamp > of_.deadline) return DeadlinePassed.selector;
            if (of_.lots != (end - first) / Packed.LINE_LENGTH) return LinesMismatch.selector;
            uint256 discount = Packed.read(first - 1 - DISCOUNT, DISCOUNT);
            (uint256 captured, bytes4 reason) = _checkCapture(id, discount, first, end);
            if (reason != ACCEPTED) return reason;

            reservation[id].stage = Stage.CAPTURED;
            _captureLots(batch, id, of_.member, discount, captured, first, end);
            return ACCEPTED;
        }
    }

    /// kind ‖ reservationId (32) ‖ reference (32) ‖ lines: every lot of the reservation with what was reserved
    function _void(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            uint256 first = start + RESERVATION_HEAD;
            if (!Packed.areLines(first++, end)) return MalformedEntry.selector;
            bytes32 id = Packed.word(start + 1);
            Reservation memory of_ = reservation[id];
            if (of_.stage == Stage.NONE) return UnknownReservation.selector;
            if (of_.brand != batch.brand) return NotAcceptingBrand.selector;
            if (of_.stage != Stage.OPEN) return ReservationClosed.selector;
            if (of_.lots != (end - first) / Packed.LINE_LENGTH) return LinesMismatch.selector;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                uint256 authorized = reservationLot[id][lotId].authorized;
                if (authorized == 0 || points != authorized) return LinesMismatch.selector;
            }

            reservation[id].stage = Stage.VOIDED;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                _setFree(batch, of_, lotId, points);
            }
            return ACCEPTED;
        }
    }

    /// kind ‖ reservationId (32) ‖ reference (32) ‖ discount (8) ‖ lines: original lots with the points given back
    function _refundPoints(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            uint256 first = start + RESERVATION_HEAD + DISCOUNT;
            if (!Packed.areLines(first++, end)) return MalformedEntry.selector;
            bytes32 id = Packed.word(start + 1);
            Reservation memory of_ = reservation[id];
            if (of_.stage == Stage.NONE) return UnknownReservation.selector;
            if (of_.brand != batch.brand) return NotAcceptingBrand.selector;
            uint256 discount;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                ReservedLot memory lot = reservationLot[id][lotId];
                uint256 left = lot.captured - lot.refunded;
                if (points == 0) return ZeroPoints.selector;
                if (points > left) return TooManyPoints.selector;
                discount += Discounts.share(lot.discount, left, lot.captured);
                discount -= Discounts.share(lot.discount, left - points, lot.captured);
            }
            if (discount != Packed.read(first - 1 - DISCOUNT, DISCOUNT)) return DiscountMismatch.selector;

            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                ReservedLot storage lot = reservationLot[id][lotId];
                lot.refunded += uint56(points);
                _owe(lotId, batch.brand, lot.terms, -int256(points));
                _expose(lotId, batch.brand, -int256(points));
                if (Lots.isExpired(Lots.expiryDayOf(lotId), batch.localDay)) lotId = _graceLot(batch, lotId);
                _give(batch, of_.member, lotId, points);
            }
            return ACCEPTED;
        }
    }

    /// The discount of each lot is what the running total of shares grows by.
    function _storeReservedLot(
        bytes32 id,
        uint256 lotId,
        ReservedLot memory lot,
        uint256 discountUpTo,
        uint256 discountBefore
    ) internal {
        unchecked {
            lot.discount = uint56(discountUpTo - discountBefore);
        }
        reservationLot[id][lotId] = lot;
    }

    function _checkCapture(bytes32 id, uint256 discount, uint256 first, uint256 end)
        private
        view
        returns (uint256 captured, bytes4)
    {
        unchecked {
            uint256 authorized;
            uint256 consented;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                ReservedLot memory lot = reservationLot[id][lotId];
                if (lot.authorized == 0) return (0, LinesMismatch.selector);
                if (points > lot.authorized) return (0, TooManyPoints.selector);
                captured += points;
                authorized += lot.authorized;
                consented += lot.discount;
            }
            if (captured == 0) return (0, ZeroPoints.selector);
            bool isShare = discount == Discounts.share(consented, captured, authorized);
            return (captured, isShare ? ACCEPTED : DiscountMismatch.selector);
        }
    }

    function _captureLots(
        Batch memory batch,
        bytes32 id,
        address member,
        uint256 discount,
        uint256 captured,
        uint256 first,
        uint256 end
    ) private {
        unchecked {
            uint256 soFar;
            uint256 discounted;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                ReservedLot memory lot = reservationLot[id][lotId];
                soFar += points;
                uint256 upTo = Discounts.share(discount, soFar, captured);
                lot.captured = uint56(points);
                _storeReservedLot(id, lotId, lot, upTo, discounted);
                discounted = upTo;
                _take(batch, member, lotId, points, lot.authorized);
                _owe(lotId, batch.brand, lot.terms, int256(points));
                _expose(lotId, batch.brand, int256(points) - int256(uint256(lot.authorized)));
            }
        }
    }

    /// Points of a lot that expired while they were kept past the deadline are good for some time more.
    function _setFree(Batch memory batch, Reservation memory of_, uint256 lotId, uint256 points) private {
        _expose(lotId, of_.brand, -int256(points));
        if (block.timestamp > of_.deadline && Lots.isExpired(Lots.expiryDayOf(lotId), batch.localDay)) {
            _take(batch, of_.member, lotId, points, points);
            _give(batch, of_.member, _graceLot(batch, lotId), points);
        } else {
            _release(of_.member, lotId, points);
        }
    }

    function _graceLot(Batch memory batch, uint256 lotId) private pure returns (uint256) {
        return Lots.id(lotId >> 32, Lots.graceExpiryDay(batch.localDay));
    }
}
