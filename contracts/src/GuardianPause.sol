// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governed} from "./Governed.sol";

/// The guardian stops batches at once, once, and for 72 hours at most; another time only after governance has re-armed it.
abstract contract GuardianPause is Governed {
    uint256 public constant LONGEST_PAUSE = 72 hours;

    struct Pause {
        uint40 until; // batches go on from this second
        bool isSpent;
    }

    Pause internal _pause;

    event Paused(uint40 until);
    event Unpaused();
    event PauseRearmed();

    error NotGuardian(address account);
    error PauseSpent();
    error NotPaused();
    error LedgerPaused(uint40 until);

    modifier onlyGuardian() {
        if (msg.sender != governance.guardian()) revert NotGuardian(msg.sender);
        _;
    }

    function pauseState() external view returns (uint40 until, bool isSpent) {
        return (_pause.until, _pause.isSpent);
    }

    /// Stops batches alone: members, owners and governance act on.
    function pause() external onlyGuardian {
        if (_pause.isSpent) revert PauseSpent();
        uint40 until = uint40(block.timestamp + LONGEST_PAUSE);
        _pause = Pause({until: until, isSpent: true});
        emit Paused(until);
    }

    function unpause() external onlyGuardian {
        if (block.timestamp >= _pause.until) revert NotPaused();
        _pause.until = 0;
        emit Unpaused();
    }

    function rearmPause() external onlyGovernance {
        _pause.isSpent = false;
        emit PauseRearmed();
    }

    function _requireNotPaused() internal view {
        uint40 until = _pause.until;
        if (block.timestamp < until) revert LedgerPaused(until);
    }
}
