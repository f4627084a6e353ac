// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBrandOwners} from "../src/IBrandOwners.sol";

/// A stand-in for what governance rules over: brands with owners, and a call that calls back. Tests alone deploy it.
contract OwnedBrands is IBrandOwners {
    address public immutable governance;
    mapping(uint32 brandId => address) public brandOwner;
    mapping(uint32 brandId => uint96) public limit;
    bytes public answer;

    error NotGovernance();
    error Refused();
    error CallbackFailed(bytes reason);

    modifier onlyGovernance() {
        if (msg.sender != governance) revert NotGovernance();
        _;
    }

    constructor(address governance_, address[] memory owners) {
        governance = governance_;
        for (uint256 i = 0; i < owners.length; ++i) {
            brandOwner[uint32(i + 1)] = owners[i];
        }
    }

    function setBrandOwner(uint32 brandId, address owner) external onlyGovernance {
        brandOwner[brandId] = owner;
    }

    function setBrandLimit(uint32 brandId, uint96 limit_) external payable onlyGovernance {
        limit[brandId] = limit_;
    }

    function refuse() external pure {
        revert Refused();
    }

    /// What `callBack` will send to governance, once; stored before, since an act's own bytes cannot hold its approvals.
    function prepare(bytes calldata callback) external {
        answer = callback;
    }

    function callBack() external onlyGovernance {
        bytes memory callback = answer;
        if (callback.length == 0) return;
        delete answer;
        (bool done, bytes memory reason) = governance.call(callback);
        if (!done) revert CallbackFailed(reason);
    }
}
