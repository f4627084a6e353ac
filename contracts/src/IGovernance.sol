// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What a ledger asks of the governance it was deployed under.
interface IGovernance {
    function coalitionId() external view returns (bytes32);

    function sandbox() external view returns (bool);

    function operator() external view returns (address);

    function guardian() external view returns (address);
}
