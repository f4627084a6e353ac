// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "./ISettlement.sol";
import {Lots} from "./Lots.sol";

/// What brands owe one another, in the issuer's points: captures at another brand add, point refunds take off.
abstract contract Clearing {
    ISettlement public immutable settlement;

    /// Negative where more points came back than were captured since the last settlement.
    mapping(uint32 issuer => mapping(uint32 acceptor => int256)) public owed;
    /// What is reserved or captured at the accepting brand, less what was released, given back or settled.
    mapping(uint32 issuer => mapping(uint32 acceptor => int256)) public exposure;

    error SettlementOfAnotherLedger(address pointsLedger);
    error NotSettlement(address account);

    constructor(ISettlement settlement_) {
        if (settlement_.pointsLedger() != address(this)) {
            revert SettlementOfAnotherLedger(settlement_.pointsLedger());
        }
        settlement = settlement_;
    }

    /// By what settlement discharges: negative where it was the issuer's claim.
    function lowerExposure(uint32 issuer, uint32 acceptor, int256 points) external {
        if (msg.sender != address(settlement)) revert NotSettlement(msg.sender);
        exposure[issuer][acceptor] -= points;
    }

    function _owe(uint256 lotId, uint256 acceptor, int256 points) internal {
        uint32 issuer = Lots.brandOf(lotId);
        if (issuer == acceptor || points == 0) return;
        unchecked {
            owed[issuer][uint32(acceptor)] += points;
        }
    }
}
