// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EntryRoot} from "./EntryRoot.sol";

/// The refusals of a batch, packed as `index (4) ‖ reason (4)`. Room is made at the first refusal, for all entries still to come.
library RefusalList {
    struct List {
        uint256 count;
        bytes packed;
    }

    /// Room for a refusal of every entry from calldata position `start` to `last`.
    function reserve(List memory list, uint256 start, uint256 last) internal pure {
        unchecked {
            uint256 most = (last - start) / EntryRoot.FRAME_MIN + 1; // and one for a fragment
            list.packed = new bytes(8 * most + 24); // each is written as a whole word
        }
    }

    function add(List memory list, uint256 index, bytes4 reason) internal pure {
        bytes memory packed = list.packed;
        uint256 start = 32 + 8 * list.count++;
        bytes32 pair = bytes32((index << 224) | (uint256(uint32(reason)) << 192));
        assembly ("memory-safe") {
            mstore(add(packed, start), pair)
        }
    }

    function outcome(List memory list, uint256 entryCount) internal pure returns (bytes32) {
        bytes memory packed = list.packed;
        uint256 length = 8 * list.count;
        bytes32 hash;
        assembly ("memory-safe") {
            hash := keccak256(add(packed, 32), length)
        }
        return bytes32((entryCount << 224) | (list.count << 192)) | (hash >> 64);
    }
}
