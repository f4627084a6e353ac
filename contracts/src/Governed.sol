// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGovernance} from "./IGovernance.sol";

/// Under one governance for good: what nobody does alone is done by an act of it.
abstract contract Governed {
    IGovernance public immutable governance;
    bool public immutable sandbox;

    error NotGovernance(address account);

    modifier onlyGovernance() {
        _requireGovernance();
        _;
    }

    constructor(IGovernance governance_) {
        governance = governance_;
        sandbox = governance_.sandbox();
    }

    function _requireGovernance() private view {
        if (msg.sender != address(governance)) revert NotGovernance(msg.sender);
    }
}
