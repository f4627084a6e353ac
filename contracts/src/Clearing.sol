// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Lots} from "./Lots.sol";

/// What brands owe one another, in the issuer's points: captures at another brand add, point refunds take off.
abstract contract Clearing {
    /// Negative where more points came back than were captured since the last settlement.
    mapping(uint32 issuer => mapping(uint32 acceptor => int256)) public owed;

    function _owe(uint256 lotId, uint256 acceptor, int256 points) internal {
        uint32 issuer = Lots.brandOf(lotId);
        if (issuer == acceptor || points == 0) return;
        unchecked {
            owed[issuer][uint32(acceptor)] += points;
        }
    }
}
