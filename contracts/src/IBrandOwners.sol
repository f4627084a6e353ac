// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What governance knows of a points ledger: who owns a brand, and the act that replaces the owner without the owner.
interface IBrandOwners {
    function brandOwner(uint32 brandId) external view returns (address);

    function setBrandOwner(uint32 brandId, address owner) external;
}
