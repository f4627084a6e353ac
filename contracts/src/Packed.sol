// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Reads packed fields straight from calldata. The one place with assembly on the entry path.
/// Callers check an entry's length before they read its fields; past the calldata's end the EVM reads zeros.
library Packed {
    uint256 internal constant LINE_LENGTH = 16;
    uint256 internal constant MAX_LINES = 16;

    /// `length` bytes (1 to 32) at `start`, as an unsigned number.
    function read(uint256 start, uint256 length) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, length)), calldataload(start))
        }
    }

    function word(uint256 start) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := calldataload(start)
        }
    }

    function slice(uint256 start, uint256 length) internal pure returns (bytes calldata data) {
        assembly ("memory-safe") {
            data.offset := start
            data.length := length
        }
    }

    function offset(bytes calldata data) internal pure returns (uint256 start) {
        assembly ("memory-safe") {
            start := data.offset
        }
    }

    /// keccak of the bytes from `start` to `end`; takes no memory for good.
    function hash(uint256 start, uint256 end) internal pure returns (bytes32 hash_) {
        assembly ("memory-safe") {
            let copy := mload(0x40)
            calldatacopy(copy, start, sub(end, start))
            hash_ := keccak256(copy, sub(end, start))
        }
    }

    /// Lot and points of the line at `start`.
    function line(uint256 start) internal pure returns (uint256 lotId, uint256 points) {
        assembly ("memory-safe") {
            let packed := calldataload(start)
            lotId := shr(192, packed)
            points := and(shr(128, packed), 0xffffffffffffffff)
        }
    }

    /// Whether a count byte and that many lines (1 to 16, no lot twice) reach exactly from `start` to `end`.
    function areLines(uint256 start, uint256 end) internal pure returns (bool) {
        unchecked {
            if (start >= end) return false;
            uint256 count = read(start, 1);
            if (count == 0 || count > MAX_LINES || start + 1 + count * LINE_LENGTH != end) return false;
            for (uint256 later = start + 1 + LINE_LENGTH; later < end; later += LINE_LENGTH) {
                uint256 lotId = read(later, 8);
                for (uint256 earlier = start + 1; earlier < later; earlier += LINE_LENGTH) {
                    if (read(earlier, 8) == lotId) return false;
                }
            }
            return true;
        }
    }
}
