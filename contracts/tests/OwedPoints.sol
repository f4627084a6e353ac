// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBrandOwners} from "../src/IBrandOwners.sol";
import {IClearing} from "../src/IClearing.sol";
import {IGovernance} from "../src/IGovernance.sol";

/// A stand-in for what settlement stands under: exposures and owners at will. Tests alone deploy it.
contract OwedPoints is IBrandOwners, IClearing, IGovernance {
    bytes32 public immutable coalitionId;
    bool public constant sandbox = true;
    address public constant guardian = address(0);
    address public constant operator = address(0);

    mapping(uint32 brandId => address) public brandOwner;
    mapping(uint32 issuer => mapping(uint32 acceptor => int256)) public exposure;

    struct Position {
        uint32 issuer;
        uint32 acceptor;
        int256 points;
    }

    error ExposureOutOfRange(uint32 issuer, uint32 acceptor);

    constructor(bytes32 coalitionId_, address[] memory owners) {
        coalitionId = coalitionId_;
        for (uint256 i = 0; i < owners.length; ++i) {
            brandOwner[uint32(i + 1)] = owners[i];
        }
    }

    function setBrandOwner(uint32 brandId, address owner) external {
        brandOwner[brandId] = owner;
    }

    /// Exposure as the points ledger counts it, without reservations.
    function owe(Position[] calldata positions) external {
        for (uint256 i = 0; i < positions.length; ++i) {
            Position calldata position = positions[i];
            exposure[position.issuer][position.acceptor] += position.points;
        }
    }

    function lowerExposure(uint32 issuer, uint32 acceptor, int256 points) external {
        int256 left = exposure[issuer][acceptor] - points;
        if (left > 2 ** 62 || left < -(2 ** 62)) revert ExposureOutOfRange(issuer, acceptor);
        exposure[issuer][acceptor] = left;
    }
}
