// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchRecords} from "./BatchRecords.sol";
import {IN_DEFAULT} from "./BrandState.sol";
import {ISSUE, OPENING} from "./Issuing.sol";
import {Lots} from "./Lots.sol";
import {Packed} from "./Packed.sol";
import {Points} from "./Points.sol";
import {ACCEPTED, Refusals} from "./Refusals.sol";

/// Entries by which a brand takes back what an issue of its own gave, never more than that, and gives back what it took.
abstract contract Clawbacks is BatchRecords, Points, Refusals {
    uint256 private constant CLAWBACK_REFUSALS = 73; // kind, member, reference, number, index, entryCount, refusedCount
    uint256 private constant RESTORE_LINES = 65;

    struct Clawed {
        address member;
        uint64 points;
        uint32 latestDay; // the latest expiry day of the lots they were taken from; 0, never, is the latest of all
    }

    /// Clawed back of an issue or opening and not restored, by brand (4) ‖ batch number (8) ‖ index (4).
    mapping(uint256 issueId => Clawed) public clawed;

    /// kind ‖ member (20) ‖ reference (32) ‖ number (8) ‖ index (4) ‖ entryCount (4) ‖ refusedCount (4) ‖ refusals (8 each)
    /// ‖ branchWords (2) ‖ branch ‖ issueLength (2) ‖ issue ‖ lines
    function _clawBack(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (end - start < CLAWBACK_REFUSALS) return MalformedEntry.selector;
            Shown memory shown = _shown(start);
            if (!Packed.areLines(shown.entryEnd, end)) return MalformedEntry.selector;
            if (batch.state == IN_DEFAULT) return BrandInDefault.selector;
            if (!_isOfRecord(batch.brand, shown)) return UnknownIssue.selector;
            if (_isAmongRefused(shown)) return IssueRefused.selector;
            uint256 kind = Packed.read(shown.entry, 1);
            address member = address(uint160(Packed.read(start + 1, 20)));
            if ((kind != ISSUE && kind != OPENING) || Packed.read(shown.entry + 1, 20) != uint160(member)) {
                return NotThisMembersIssue.selector;
            }
            uint256 issueId = _issueId(batch.brand, shown.number, shown.index);
            uint256 taken = clawed[issueId].points;
            uint256 latest = taken == 0 ? 0 : _rank(clawed[issueId].latestDay);
            uint256 first = shown.entryEnd + 1;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                if (points == 0) return ZeroPoints.selector;
                if (lotId >> 32 != batch.brand) return NotOwnLot.selector;
                if (_unreserved(member, lotId) < points) return NotEnoughPoints.selector;
                taken += points;
                uint256 rank = _rank(Lots.expiryDayOf(lotId));
                if (rank > latest) latest = rank;
            }
            if (taken > Packed.read(shown.entry + 25, 8)) return TooManyPoints.selector;

            clawed[issueId] = Clawed({member: member, points: uint64(taken), latestDay: uint32(latest + 1)});
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                _take(batch, member, lotId, points, 0);
            }
            return ACCEPTED;
        }
    }

    /// kind ‖ member (20) ‖ reference (32) ‖ number (8) ‖ index (4) ‖ lines: of that issue, what no longer is to be taken; to no
    /// lot that ends sooner than those it was taken from
    function _restore(Batch memory batch, uint256 start, uint256 end) internal returns (bytes4) {
        unchecked {
            if (!Packed.areLines(start + RESTORE_LINES, end)) return MalformedEntry.selector;
            if (batch.state == IN_DEFAULT) return BrandInDefault.selector;
            uint256 issueId = _issueId(batch.brand, Packed.read(start + 53, 8), Packed.read(start + 61, 4));
            Clawed memory taken = clawed[issueId];
            if (taken.member == address(0)) return UnknownIssue.selector;
            if (Packed.read(start + 1, 20) != uint160(taken.member)) return NotThisMembersIssue.selector;
            uint256 total;
            uint256 first = start + RESTORE_LINES + 1;
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                uint256 expiryDay = Lots.expiryDayOf(lotId);
                if (points == 0) return ZeroPoints.selector;
                if (lotId >> 32 != batch.brand) return NotOwnLot.selector;
                if (expiryDay != 0 && !Lots.isMonthEnd(expiryDay)) return ExpiryNotMonthEnd.selector;
                if (_rank(expiryDay) < _rank(taken.latestDay)) return LotNotLater.selector;
                total += points;
            }
            if (total > taken.points) return TooManyPoints.selector;

            clawed[issueId].points = uint64(taken.points - total);
            for (uint256 line = first; line < end; line += Packed.LINE_LENGTH) {
                (uint256 lotId, uint256 points) = Packed.line(line);
                _give(batch, taken.member, Lots.orGrace(lotId, batch.localDay), points);
            }
            return ACCEPTED;
        }
    }

    /// Where the parts of a clawback stand. A length that is too large leads past the entry's end, where no lines can be.
    function _shown(uint256 start) private pure returns (Shown memory shown) {
        unchecked {
            shown.number = uint64(Packed.read(start + 53, 8));
            shown.index = uint32(Packed.read(start + 61, 4));
            shown.entryCount = Packed.read(start + 65, 4);
            shown.refusals = start + CLAWBACK_REFUSALS;
            shown.refusalsEnd = shown.refusals + 8 * Packed.read(start + 69, 4);
            shown.branch = shown.refusalsEnd + 2;
            shown.branchEnd = shown.branch + 32 * Packed.read(shown.refusalsEnd, 2);
            shown.entry = shown.branchEnd + 2;
            shown.entryEnd = shown.entry + Packed.read(shown.branchEnd, 2);
        }
    }

    /// Of an expiry day: never comes last.
    function _rank(uint256 expiryDay) private pure returns (uint256) {
        unchecked {
            return uint32(expiryDay - 1);
        }
    }

    function _issueId(uint256 brandId, uint256 number, uint256 index) private pure returns (uint256) {
        return (brandId << 96) | (number << 32) | index;
    }
}
