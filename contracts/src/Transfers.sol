// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RUNNING_OFF} from "./BrandState.sol";
import {IMembers} from "./IMembers.sol";
import {Lots} from "./Lots.sol";
import {Packed} from "./Packed.sol";
import {Redemption} from "./Redemption.sol";
import {ACCEPTED} from "./Refusals.sol";

/// One member's points become another's, lots unchanged, when both have signed. Points of any brand, carried by any that accepts.
abstract contract Transfers is Redemption {
    uint256 private constant FROM_PROOF = 57; // after kind, from, to, nonce, deadline, fromKind, fromLength
    bytes32 private constant TRANSFER_TYPE =
        keccak256("Transfer(address from,address to,bytes32 lines,uint64 nonce,uint40 deadline)");

    struct Transfer {
        address from;
        address to;
        uint256 deadline;
        uint256 toProof; // where it stands
        uint256 lines;
    }

    constructor(IMembers members_) Redemption(members_) {}

    /// kind ‖ from (20) ‖ to (20) ‖ nonce (8) ‖ deadline (5) ‖ fromKind (1) ‖ fromLength (2) ‖ fromProof ‖ toKind (1) ‖ toLength (2) ‖
    /// toProof ‖ lines
    function _transfer(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (end - start < FROM_PROOF) return MalformedEntry.selector;
            Transfer memory of_;
            of_.toProof = start + FROM_PROOF + Packed.read(start + FROM_PROOF - 2, 2) + 3;
            if (of_.toProof > end) return MalformedEntry.selector;
            of_.lines = of_.toProof + Packed.read(of_.toProof - 2, 2);
            if (!Packed.areLines(of_.lines, end)) return MalformedEntry.selector;
            of_.from = address(uint160(Packed.read(start + 1, 20)));
            of_.to = address(uint160(Packed.read(start + 21, 20)));
            of_.deadline = Packed.read(start + 49, 5);
            if (batch.state > RUNNING_OFF) return BrandNotAccepting.selector;
            bytes4 reason = _checkDeadline(of_.deadline);
            if (reason != ACCEPTED) return reason;
            bytes32 id = _transferDigest(of_, Packed.read(start + 41, 8), end);
            if (reservation[id].stage != Stage.NONE) return ConsentUsed.selector;
            reason = _checkTransferred(batch, of_, end);
            if (reason != ACCEPTED) return reason;
            reason = _isAgreed(of_, id, start);
            if (reason != ACCEPTED) return reason;

            reservation[id] = Reservation({
                member: of_.from,
                brand: uint32(batch.brand),
                deadline: uint40(of_.deadline),
                stage: Stage.TRANSFERRED,
                lots: 0
            });
            for (uint256 line = of_.lines + 1; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                _move(of_.from, of_.to, lotId, points);
            }
            return ACCEPTED;
        }
    }

    function _checkTransferred(Batch memory batch, Transfer memory of_, uint256 end) private view returns (bytes4) {
        unchecked {
            for (uint256 line = of_.lines + 1; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                if (points == 0) return ZeroPoints.selector;
                if (Lots.isExpired(Lots.expiryDayOf(lotId), batch.localDay)) return LotExpired.selector;
                if (_unreserved(of_.from, lotId) < points) return NotEnoughPoints.selector;
            }
            return ACCEPTED;
        }
    }

    /// Both sides by their own authorizers; a grant transfers nothing.
    function _isAgreed(Transfer memory of_, bytes32 id, uint256 start) private view returns (bytes4 reason) {
        unchecked {
            uint256 fromProof = start + FROM_PROOF;
            uint256 toHead = of_.toProof - 3;
            reason = members.consents(
                of_.from, id, Packed.read(fromProof - 3, 1), Packed.slice(fromProof, toHead - fromProof)
            );
            if (reason != ACCEPTED) return reason;
            return members.consents(
                of_.to, id, Packed.read(toHead, 1), Packed.slice(of_.toProof, of_.lines - of_.toProof)
            );
        }
    }

    function _transferDigest(Transfer memory of_, uint256 nonce, uint256 end) private view returns (bytes32) {
        bytes32 lines = keccak256(Packed.slice(of_.lines, end - of_.lines));
        return _digest(keccak256(abi.encode(TRANSFER_TYPE, of_.from, of_.to, lines, nonce, of_.deadline)));
    }
}
