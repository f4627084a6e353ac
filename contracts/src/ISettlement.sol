// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What the points ledger asks of settlement, which stands apart for room.
interface ISettlement {
    /// The one ledger whose claims are settled.
    function pointsLedger() external view returns (address);
}
