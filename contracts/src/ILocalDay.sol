// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// By which calendar a contract counts days.
interface ILocalDay {
    function utcOffsetSeconds() external view returns (int32);
}
