// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ACTIVE, IN_DEFAULT} from "./BrandState.sol";
import {EntryRoot} from "./EntryRoot.sol";
import {IssueRun} from "./IssueRun.sol";
import {Lots} from "./Lots.sol";
import {Packed} from "./Packed.sol";
import {Points} from "./Points.sol";
import {ACCEPTED, Refusals} from "./Refusals.sol";

/// Entries by which a brand issues its own points, claws them back and lets them expire.
abstract contract Issuing is Points, Refusals {
    uint256 private constant ISSUE_LENGTH = 69;
    uint256 private constant EXPIRE_LENGTH = 33;
    uint256 private constant CLAWBACK_LINES = 85;

    /// kind ‖ member (20) ‖ expiryDay (4) ‖ points (8) ‖ ruleVersion (4) ‖ reference (32)
    function _issue(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (end - start != ISSUE_LENGTH) return MalformedEntry.selector;
            if (batch.state != ACTIVE) return BrandNotActive.selector;
            uint256 packed = uint256(Packed.word(start + 1));
            address member = address(uint160(packed >> 96));
            uint256 expiryDay = uint32(packed >> 64);
            uint256 points = uint64(packed);
            if (member == address(0)) return ZeroMember.selector;
            if (points == 0) return ZeroPoints.selector;
            if (expiryDay != batch.goodExpiryDay) {
                if (expiryDay != 0) {
                    if (!Lots.isMonthEnd(expiryDay)) return ExpiryNotMonthEnd.selector;
                    if (Lots.isExpired(expiryDay, batch.localDay)) return LotExpired.selector;
                }
                batch.goodExpiryDay = expiryDay;
            }
            if (batch.outstanding + points > batch.limit) return LimitExceeded.selector;

            _give(batch, member, Lots.id(batch.brand, expiryDay), points);
            return ACCEPTED;
        }
    }

    /// After an issue was accepted: as many further ones as are plainly good. Returns where they end and how many they are.
    function _issueRun(Batch memory batch, EntryRoot.Leaves memory leaves, uint256 start, uint256 last)
        internal
        returns (uint256 next, uint256 count)
    {
        unchecked {
            if (batch.outstanding >= batch.limit) return (start, 0);
            IssueRun.Lane memory lane = IssueRun.Lane({
                lotId: batch.lotId, lotBalances: batch.lotBalances, room: batch.limit - batch.outstanding
            });
            uint256 total;
            (next, count, total) = IssueRun.issue(lane, leaves, start, last);
            batch.outstanding += total;
            batch.lotOutstanding += total;
        }
    }

    /// kind ‖ member (20) ‖ reference (32) ‖ issueReference (32) ‖ lines
    function _clawBack(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (!Packed.areLines(start + CLAWBACK_LINES, end)) return MalformedEntry.selector;
            if (batch.state == IN_DEFAULT) return BrandInDefault.selector;
            address member = address(uint160(Packed.read(start + 1, 20)));
            uint256 first = start + CLAWBACK_LINES + 1;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                if (points == 0) return ZeroPoints.selector;
                if (lotId >> 32 != batch.brand) return NotOwnLot.selector;
                if (_unreserved(member, lotId) < points) return NotEnoughPoints.selector;
            }

            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                _take(batch, member, lotId, points, 0);
            }
            return ACCEPTED;
        }
    }

    /// kind ‖ member (20) ‖ expiryDay (4) ‖ points (8): all unreserved points of the lot
    function _expire(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (end - start != EXPIRE_LENGTH) return MalformedEntry.selector;
            if (batch.state == IN_DEFAULT) return BrandInDefault.selector;
            uint256 packed = uint256(Packed.word(start + 1));
            address member = address(uint160(packed >> 96));
            uint256 expiryDay = uint32(packed >> 64);
            uint256 points = uint64(packed);
            if (!Lots.isExpired(expiryDay, batch.localDay)) return LotNotExpired.selector;
            if (points == 0) return ZeroPoints.selector;
            uint256 lotId = Lots.id(batch.brand, expiryDay);
            if (_unreserved(member, lotId) != points) return PointsMismatch.selector;

            _take(batch, member, lotId, points, 0);
            return ACCEPTED;
        }
    }
}
