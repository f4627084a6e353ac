// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// The EIP-712 domain with the coalition id as its salt: a signature of one coalition is good in no other.
abstract contract CoalitionDomain is IERC5267 {
    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
    );
    string private constant NAME = "Splittally";
    string private constant VERSION = "1";

    bytes32 public immutable coalitionId;
    uint256 private immutable _deployedChainId;
    bytes32 private immutable _deployedSeparator;

    constructor(bytes32 coalitionId_) {
        coalitionId = coalitionId_;
        _deployedChainId = block.chainid;
        _deployedSeparator = _separator(coalitionId_);
    }

    /// ERC-5267; all five fields are in use.
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (hex"1f", NAME, VERSION, block.chainid, address(this), coalitionId, new uint256[](0));
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = block.chainid == _deployedChainId ? _deployedSeparator : _separator(coalitionId);
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    function _separator(bytes32 salt) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                DOMAIN_TYPE, keccak256(bytes(NAME)), keccak256(bytes(VERSION)), block.chainid, address(this), salt
            )
        );
    }
}
