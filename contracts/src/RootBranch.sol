// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The way from a leaf up to the root that `EntryRoot` builds, in calldata: of each node on the way its other children, in order.
library RootBranch {
    /// Zero, which no root is, for a branch of another length or an index out of range.
    function rootOf(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata branch)
        internal
        pure
        returns (bytes32)
    {
        if (index >= count) return 0;
        uint256 start;
        assembly ("memory-safe") {
            start := branch.offset
        }
        (bytes32 root, uint256 end) = climb(leaf, index, count, start);
        return end == start + 32 * branch.length ? root : bytes32(0);
    }

    /// `index` is below `count`. Returns the root and where in calldata such a branch ends.
    function climb(bytes32 leaf, uint256 index, uint256 count, uint256 start)
        internal
        pure
        returns (bytes32 node, uint256 end)
    {
        node = leaf;
        end = start;
        assembly ("memory-safe") {
            let children := mload(0x40) // used up at once, so that a batch of many branches needs no more memory than one
            for {} 1 {} {
                let before := shl(5, and(index, 15))
                let size := shl(5, sub(count, sub(index, and(index, 15))))
                if gt(size, 512) { size := 512 }
                calldatacopy(children, end, before)
                mstore(add(children, before), node)
                calldatacopy(add(add(children, before), 32), add(end, before), sub(sub(size, before), 32))
                node := keccak256(children, size)
                end := add(end, sub(size, 32))
                index := shr(4, index)
                count := shr(4, add(count, 15))
                if eq(count, 1) { break }
            }
        }
    }
}
