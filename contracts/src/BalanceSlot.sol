// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Where a balance stands: the compiler's own places for a nested mapping, with the lot's part computed once for many members.
library BalanceSlot {
    struct Word {
        uint256 value;
    }

    /// The place of `balances[lotId]`.
    function row(mapping(uint256 => mapping(address => uint256)) storage balances, uint256 lotId)
        internal
        pure
        returns (bytes32 place)
    {
        assembly ("memory-safe") {
            mstore(0, lotId)
            mstore(32, balances.slot)
            place := keccak256(0, 64)
        }
    }

    /// `balances[lotId][member]`, given the place of `balances[lotId]`.
    function of_(bytes32 place, address member) internal pure returns (Word storage word) {
        assembly ("memory-safe") {
            mstore(0, shr(96, shl(96, member)))
            mstore(32, place)
            word.slot := keccak256(0, 64)
        }
    }
}
