// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {EntryRoot} from "./EntryRoot.sol";

/// The express lane for the entry that matters most: one issue after another into the same lot.
///
/// It takes only entries that need no second look, writes what `Issuing` would write, and stops at the first of any other sort, which
/// then goes the ordinary way. Never refuses anything.
library IssueRun {
    struct Lane {
        uint256 lotId;
        bytes32 lotBalances; // the place of balances[lotId]
        uint256 room; // points that may be issued before the limit
    }

    /// Issues from calldata position `start` and adds the leaf of each entry; returns where it stopped, how many entries and how
    /// many points it issued.
    function issue(Lane memory lane, EntryRoot.Leaves memory leaves, uint256 start, uint256 last)
        internal
        returns (uint256 next, uint256 count, uint256 total)
    {
        uint256 lotId = lane.lotId;
        uint256 room = lane.room;
        bytes32 place = lane.lotBalances;
        uint256 leaf = leaves.next;
        uint256 shift = leaves.shift;
        bytes32 transferSingle = IERC1155.TransferSingle.selector;
        assembly ("memory-safe") {
            // What an entry for this lot begins with, the member left out: length 105 (2) ‖ kind 1 (1) ‖ … ‖ expiryDay (4)
            let head := or(shl(232, 0x006901), shl(40, and(lotId, 0xffffffff)))
            let headMask := or(shl(232, 0xffffff), shl(40, 0xffffffff))
            next := start
            for {} iszero(gt(add(next, 107), last)) { next := add(next, 107) } {
                let word := calldataload(next)
                if xor(and(word, headMask), head) { break }
                let member := shr(96, shl(24, word))
                let points := shr(192, calldataload(add(next, 27)))
                let sum := add(total, points)
                if or(or(iszero(member), iszero(points)), gt(sum, room)) { break }
                mstore(0, member)
                mstore(32, place)
                let slot := keccak256(0, 64)
                sstore(slot, add(sload(slot), points))
                mstore(0, lotId)
                mstore(32, points)
                log4(0, 64, transferSingle, caller(), 0, member)
                mstore(leaf, keccak256(add(next, shift), 105))
                leaf := add(leaf, 32)
                total := sum
            }
        }
        count = (leaf - leaves.next) / 32;
        leaves.next = leaf;
    }
}
