// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "./ISettlement.sol";
import {Lots} from "./Lots.sol";

/// What brands owe one another, and what they let themselves be owed, in the issuer's points. A brand's own points count in neither.
abstract contract Clearing {
    /// Settlement leads an exposure no further, either way, so that every reader has room for it.
    int256 private constant MOST_EXPOSED = 2 ** 62;

    ISettlement public immutable settlement;

    /// By the version of the issuer's terms that held at the authorization: captures at another brand add, point refunds take off.
    /// Never reset; negative where more points came back than were captured.
    mapping(uint32 issuer => mapping(uint32 acceptor => mapping(uint32 terms => int256))) public owed;
    /// What is reserved or captured at the accepting brand, less what was released, given back or settled; negative where it owes.
    mapping(uint32 issuer => mapping(uint32 acceptor => int256)) public exposure;

    error SettlementOfAnotherLedger(address pointsLedger);
    error NotSettlement(address account);
    error ExposureOutOfRange(uint32 issuer, uint32 acceptor);

    constructor(ISettlement settlement_) {
        if (settlement_.pointsLedger() != address(this)) {
            revert SettlementOfAnotherLedger(settlement_.pointsLedger());
        }
        settlement = settlement_;
    }

    /// By what settlement discharges: negative where it was the issuer's claim.
    function lowerExposure(uint32 issuer, uint32 acceptor, int256 points) external {
        if (msg.sender != address(settlement)) revert NotSettlement(msg.sender);
        int256 left = exposure[issuer][acceptor] - points;
        if (left > MOST_EXPOSED || left < -MOST_EXPOSED) revert ExposureOutOfRange(issuer, acceptor);
        exposure[issuer][acceptor] = left;
    }

    function _owe(uint256 lotId, uint256 acceptor, uint256 terms, int256 points) internal {
        uint32 issuer = Lots.brandOf(lotId);
        if (issuer == acceptor || points == 0) return;
        unchecked {
            owed[issuer][uint32(acceptor)][uint32(terms)] += points;
        }
    }

    function _expose(uint256 lotId, uint256 acceptor, int256 points) internal {
        uint32 issuer = Lots.brandOf(lotId);
        if (issuer == acceptor || points == 0) return;
        unchecked {
            exposure[issuer][uint32(acceptor)] += points;
        }
    }
}
