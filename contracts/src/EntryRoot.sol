// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The root over the entries of a batch: a leaf is keccak(entry), a node keccak of up to 16 children in order, level by level
/// until one is left. Every level is hashed, also one that has a lone child; the root of no entries is zero.
///
/// Leaves and nodes are written over a copy of the entries in memory, from its start. A leaf never reaches what is still to be
/// read, because a frame has at least 32 bytes, the size of a leaf. A fragment at the end may be shorter, yet its leaf stays
/// inside the copy: n - 1 frames and a byte round up to n words, and whole words are what Solidity allocates.
library EntryRoot {
    /// Every frame (length and entry) has at least so many bytes.
    uint256 internal constant FRAME_MIN = 32;

    /// Places in memory, and what to add to a frame's place in calldata to get its entry's place in the copy.
    struct Leaves {
        uint256 first;
        uint256 next;
        uint256 shift;
    }

    /// `copy` holds what stands in calldata from `start` on, and is used up.
    function over(bytes memory copy, uint256 start) internal pure returns (Leaves memory leaves) {
        unchecked {
            uint256 first;
            assembly ("memory-safe") {
                first := add(copy, 32)
            }
            return Leaves({first: first, next: first, shift: first - start + 2});
        }
    }

    /// The leaf of the entry whose frame stands in calldata from `start` to `end`.
    function add(Leaves memory leaves, uint256 start, uint256 end) internal pure {
        unchecked {
            uint256 next = leaves.next;
            uint256 place = start + leaves.shift;
            assembly ("memory-safe") {
                mstore(next, keccak256(place, sub(sub(end, start), 2)))
            }
            leaves.next = next + 32;
        }
    }

    /// The leaf of a fragment, which counts as an entry of the kind 0: keccak(0x00 ‖ fragment).
    function addFragment(Leaves memory leaves, uint256 start, uint256 end) internal pure {
        unchecked {
            uint256 next = leaves.next;
            uint256 before = start + leaves.shift - 3;
            assembly ("memory-safe") {
                let word := mload(sub(before, 31)) // its last byte may be the last leaf's, or the copy's length
                mstore8(before, 0)
                let leaf := keccak256(before, add(sub(end, start), 1))
                mstore(sub(before, 31), word)
                mstore(next, leaf)
            }
            leaves.next = next + 32;
        }
    }

    /// Hashes the leaves level by level.
    function root(Leaves memory leaves) internal pure returns (bytes32 node) {
        uint256 first = leaves.first;
        uint256 end = leaves.next;
        if (end == first) return 0;
        assembly ("memory-safe") {
            for {} 1 {} {
                let next := first
                for { let child := first } lt(child, end) { child := add(child, 512) } {
                    let size := sub(end, child)
                    if gt(size, 512) { size := 512 }
                    mstore(next, keccak256(child, size))
                    next := add(next, 32)
                }
                end := next
                if eq(end, add(first, 32)) { break }
            }
            node := mload(first)
        }
    }
}
