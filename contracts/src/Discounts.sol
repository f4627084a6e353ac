// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Shares of a discount in minor units, in proportion to points. A share is rounded up and what is handed out so far taken off, so that
/// shares of all points are the whole discount, whatever their order.
library Discounts {
    /// ceil(discount × part ÷ whole), of 64 bits each.
    function share(uint256 discount, uint256 part, uint256 whole) internal pure returns (uint256) {
        unchecked {
            return (discount * part + whole - 1) / whole;
        }
    }

    /// The least discount for so many points at a rate of `minor` per `per` points.
    function least(uint256 points, uint256 minor, uint256 per) internal pure returns (uint256) {
        unchecked {
            return points * minor / per;
        }
    }
}
