// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {BrandRegister} from "./BrandRegister.sol";
import {BrandTerms, Terms} from "./BrandTerms.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";

/// What a brand's owner does by its signature, whoever relays it: batch keys, terms, exposure, another owner. In every state of the brand and
/// during a pause, so that a lost batch key is withdrawn first of all.
abstract contract BrandOwnerActs is BrandRegister, CoalitionDomain {
    using BrandTerms for BrandTerms.Versions;

    bytes32 private constant KEY_TYPE = keccak256(
        "SetBrandKey(uint32 brand,address key,uint40 validFrom,uint40 validUntil,bool managed,uint64 nonce,uint40 deadline)"
    );
    bytes32 private constant TERMS_TYPE = keccak256(
        "SetBrandTerms(uint32 brand,uint64 parMinor,uint64 parPoints,uint64 redemptionMinor,uint64 redemptionPoints,uint16 feeBasisPoints,uint16 runOffDays,uint16 noticeDays,uint64 nonce,uint40 deadline)"
    );
    bytes32 private constant HAND_OVER_TYPE =
        keccak256("HandOver(uint32 brand,address owner,bool issuesNoMore,uint64 nonce,uint40 deadline)");

    bytes32 private constant EXPOSURE_TYPE =
        keccak256("SetExposure(uint32 brand,uint32 issuer,uint96 most,uint64 nonce,uint40 deadline)");

    struct OwnerAct {
        uint64 nonce;
        uint40 deadline;
        bytes signature;
    }

    event ExposureSet(uint32 indexed brandId, uint32 indexed issuerId, uint96 most);
    event OwnerActed(uint32 indexed brandId, uint64 nonce); // and it is not used again

    error OwnerActExpired(uint40 deadline);
    error OwnerActOutOfTurn(uint64 expectedNonce);
    error NotSignedBy(address account);

    function setBrandKey(uint32 brandId, address key, KeyWindow calldata window, OwnerAct calldata act)
        external
        known(brandId)
    {
        _requireOwner(
            brandId, keccak256(abi.encode(KEY_TYPE, brandId, key, window, act.nonce, act.deadline)), act
        );
        _setKey(brandId, key, window);
    }

    function setBrandTerms(uint32 brandId, Terms calldata terms, OwnerAct calldata act) external known(brandId) {
        _requireOwner(brandId, keccak256(abi.encode(TERMS_TYPE, brandId, terms, act.nonce, act.deadline)), act);
        _terms[brandId].set(brandId, terms);
    }

    /// How many of another brand's points this one lets itself be owed. Less than what it is owed already stops further ones alone.
    function setExposure(uint32 brandId, uint32 issuerId, uint96 most, OwnerAct calldata act) external known(brandId) {
        _requireOwner(
            brandId, keccak256(abi.encode(EXPOSURE_TYPE, brandId, issuerId, most, act.nonce, act.deadline)), act
        );
        exposureLimit[brandId][issuerId] = most;
        emit ExposureSet(brandId, issuerId, most);
    }

    /// `accepted` is the new owner's signature over the same act. `succeeds` makes it a succession: the brand issues no more.
    function handOver(uint32 brandId, address owner, bool succeeds, OwnerAct calldata act, bytes calldata accepted)
        external
        known(brandId)
    {
        bytes32 structHash = keccak256(abi.encode(HAND_OVER_TYPE, brandId, owner, succeeds, act.nonce, act.deadline));
        _requireOwner(brandId, structHash, act);
        _setOwner(brandId, owner);
        if (succeeds) _endIssuing(brandId);
        _requireSignature(owner, structHash, accepted);
    }

    function _requireOwner(uint32 brandId, bytes32 structHash, OwnerAct calldata act) private {
        if (block.timestamp > act.deadline) revert OwnerActExpired(act.deadline);
        Ownership storage of_ = _ownerships[brandId];
        if (act.nonce != of_.acts) revert OwnerActOutOfTurn(of_.acts);
        _requireSignature(of_.owner, structHash, act.signature);
        emit OwnerActed(brandId, of_.acts++);
    }

    function _requireSignature(address account, bytes32 structHash, bytes calldata signature) private view {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(_digest(structHash), signature);
        if (failure != ECDSA.RecoverError.NoError || signer != account) revert NotSignedBy(account);
    }
}
