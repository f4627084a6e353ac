// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What settlement asks of the points ledger: to count a claim as discharged.
interface IClearing {
    /// Settlement alone. Negative points discharge what the acceptor owes the issuer, for points given back after they were settled.
    function lowerExposure(uint32 issuer, uint32 acceptor, int256 points) external;
}
