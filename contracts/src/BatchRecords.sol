// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Packed} from "./Packed.sol";
import {RootBranch} from "./RootBranch.sol";

/// What the ledger keeps of each batch, and what can be shown against it later.
abstract contract BatchRecords {
    /// An entry of a recorded batch as a later entry shows it: places in calldata, each part from its start to the next one's.
    struct Shown {
        uint64 number;
        uint32 index;
        uint256 entryCount;
        uint256 refusals;
        uint256 refusalsEnd;
        uint256 branch;
        uint256 branchEnd;
        uint256 entry;
        uint256 entryEnd;
    }

    /// What a batch was, for ever: keccak(root ‖ outcome), where `root` is that of the entries as executed and `outcome` =
    /// entryCount (4) ‖ refusedCount (4) ‖ first 24 bytes of keccak(refusals). Zero for a number that is not used.
    mapping(uint32 brandId => mapping(uint64 number => bytes32 record)) internal batches;

    function batch(uint32 brandId, uint64 number) external view returns (bytes32 record) {
        return batches[brandId][number];
    }

    /// Whether the entry, the branch and the refusals are those of the record. A batch in the works has none.
    function _isOfRecord(uint256 brandId, Shown memory shown) internal view returns (bool) {
        unchecked {
            bytes32 record = batches[uint32(brandId)][shown.number];
            if (record == 0 || shown.index >= shown.entryCount) return false;
            (bytes32 root, uint256 branchEnd) = RootBranch.climb(
                Packed.hash(shown.entry, shown.entryEnd), shown.index, shown.entryCount, shown.branch
            );
            uint256 refusedCount = (shown.refusalsEnd - shown.refusals) / 8;
            uint256 outcome = (shown.entryCount << 224) | (refusedCount << 192)
                | (uint256(Packed.hash(shown.refusals, shown.refusalsEnd)) >> 64);
            return branchEnd == shown.branchEnd && keccak256(abi.encode(root, outcome)) == record;
        }
    }

    /// Whether its index is among the refusals.
    function _isAmongRefused(Shown memory shown) internal pure returns (bool) {
        unchecked {
            for (uint256 refusal = shown.refusals; refusal < shown.refusalsEnd; refusal += 8) {
                if (Packed.read(refusal, 4) == shown.index) return true;
            }
            return false;
        }
    }
}
