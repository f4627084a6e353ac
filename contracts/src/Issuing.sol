// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ACTIVE, IN_DEFAULT} from "./BrandState.sol";
import {EntryRoot} from "./EntryRoot.sol";
import {IssueRun} from "./IssueRun.sol";
import {Lots} from "./Lots.sol";
import {Packed} from "./Packed.sol";
import {Points} from "./Points.sol";
import {ACCEPTED, Refusals} from "./Refusals.sol";

// Kinds of the entries that give a member points of the brand.
uint256 constant ISSUE = 1;
uint256 constant OPENING = 2;

/// Entries by which a brand issues its own points, lets them expire, or extends them.
abstract contract Issuing is Points, Refusals {
    uint256 private constant ISSUE_LENGTH = 105;
    uint256 private constant EXPIRE_LENGTH = 41;
    uint256 private constant EXTEND_LENGTH = 69;

    /// kind ‖ member (20) ‖ expiryDay (4) ‖ points (8) ‖ programme (4) ‖ rule (2) ‖ award (2) ‖ decision (32) ‖ reference (32);
    /// of an opening, ratioPoints (4) ‖ ratioUnits (4) ‖ source (32) stand for programme, rule, award and decision.
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

    /// kind ‖ member (20) ‖ expiryDay (4) ‖ points (16): all unreserved points of the lot
    function _expire(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (end - start != EXPIRE_LENGTH) return MalformedEntry.selector;
            if (batch.state == IN_DEFAULT) return BrandInDefault.selector;
            address member = address(uint160(Packed.read(start + 1, 20)));
            uint256 expiryDay = Packed.read(start + 21, 4);
            uint256 points = Packed.read(start + 25, 16);
            if (!Lots.isExpired(expiryDay, batch.localDay)) return LotNotExpired.selector;
            if (points == 0) return ZeroPoints.selector;
            uint256 lotId = Lots.id(batch.brand, expiryDay);
            if (_unreserved(member, lotId) != points) return PointsMismatch.selector;

            _take(batch, member, lotId, points, 0);
            return ACCEPTED;
        }
    }

    /// kind ‖ member (20) ‖ fromDay (4) ‖ toDay (4) ‖ points (8) ‖ reference (32)
    function _extend(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (end - start != EXTEND_LENGTH) return MalformedEntry.selector;
            if (batch.state == IN_DEFAULT) return BrandInDefault.selector;
            address member = address(uint160(Packed.read(start + 1, 20)));
            uint256 fromDay = Packed.read(start + 21, 4);
            uint256 toDay = Packed.read(start + 25, 4);
            uint256 points = Packed.read(start + 29, 8);
            if (points == 0) return ZeroPoints.selector;
            if (fromDay == 0 || (toDay != 0 && toDay <= fromDay)) return LotNotLater.selector;
            if (toDay != 0 && !Lots.isMonthEnd(toDay)) return ExpiryNotMonthEnd.selector;
            if (Lots.isExpired(toDay, batch.localDay)) return LotExpired.selector;
            uint256 lotId = Lots.id(batch.brand, fromDay);
            if (_unreserved(member, lotId) < points) return NotEnoughPoints.selector;

            _take(batch, member, lotId, points, 0);
            _give(batch, member, Lots.id(batch.brand, toDay), points);
            return ACCEPTED;
        }
    }
}
