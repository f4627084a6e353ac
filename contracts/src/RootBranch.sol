// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Climbs from one leaf to a root of the form of `EntryRoot`. Sizes and places on each level follow from index and count alone.
library RootBranch {
    uint256 private constant WIDTH = 16;

    /// `branch` holds each node's other children, in order, from below. Zero, which no root is, for a branch of another length or an
    /// index out of range.
    function rootOf(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata branch)
        internal
        pure
        returns (bytes32 node)
    {
        if (index >= count) return 0;
        node = leaf;
        uint256 used;
        do {
            uint256 place = index % WIDTH;
            uint256 children = count - (index - place);
            uint256 end = used + (children > WIDTH ? WIDTH : children) - 1;
            if (end > branch.length) return 0;
            node = keccak256(abi.encodePacked(branch[used:used + place], node, branch[used + place:end]));
            used = end;
            (index, count) = (index / WIDTH, (count + WIDTH - 1) / WIDTH);
        } while (count > 1);
        if (used != branch.length) return 0;
    }
}
