// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What settlement asks of the points ledger: what is owed, and to count a claim as discharged.
interface IClearing {
    /// Points of `issuer` that `acceptor` took under one version of the issuer's terms, less those given back; never reset.
    function owed(uint32 issuer, uint32 acceptor, uint32 terms) external view returns (int256);

    /// Settlement alone. Negative points discharge what the acceptor owes the issuer, for points given back after they were settled.
    function lowerExposure(uint32 issuer, uint32 acceptor, int256 points) external;
}
