// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILocalDay} from "./ILocalDay.sol";

/// The coalition's calendar: a fixed offset from UTC, and the local day of the block, in days since 1970-01-01.
abstract contract LocalDay is ILocalDay {
    int32 private constant MAX_OFFSET_SECONDS = 14 hours;

    int32 public immutable override utcOffsetSeconds;

    error UtcOffsetTooFar(int32 seconds_);

    constructor(int32 utcOffsetSeconds_) {
        if (utcOffsetSeconds_ < -MAX_OFFSET_SECONDS || utcOffsetSeconds_ > MAX_OFFSET_SECONDS) {
            revert UtcOffsetTooFar(utcOffsetSeconds_);
        }
        utcOffsetSeconds = utcOffsetSeconds_;
    }

    function _localDay() internal view returns (uint256) {
        unchecked {
            return uint256(int256(block.timestamp) + utcOffsetSeconds) / 1 days;
        }
    }
}
