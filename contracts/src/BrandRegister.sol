// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BrandTerms, Terms, TermsVersion} from "./BrandTerms.sol";
import {ACTIVE, CLOSED, IN_DEFAULT, RUNNING_OFF, SUSPENDED} from "./BrandState.sol";
import {Governed} from "./Governed.sol";
import {IBrandOwners} from "./IBrandOwners.sol";
import {IBrands} from "./IBrands.sol";
import {LocalDay} from "./LocalDay.sol";

/// Brands: owner, state, limit on outstanding points, batch keys with validity windows, terms. Here is what governance does to them,
/// each with an event; what a brand's owner does stands in `BrandOwnerActs`.
abstract contract BrandRegister is Governed, LocalDay, IBrandOwners, IBrands {
    using BrandTerms for BrandTerms.Versions;

    struct Brand {
        uint96 limit;
        uint8 status;
        uint24 lastDay; // of a run-off: a local day
    }

    struct Ownership {
        address owner;
        uint64 acts; // of owners so far: the nonce of the next
    }

    struct KeyWindow {
        uint40 validFrom;
        uint40 validUntil;
        bool managed; // the operator holds the key on the brand's behalf
    }

    struct Registration {
        uint32 brandId;
        address owner;
        uint96 limit;
        Terms terms;
        address key;
        KeyWindow window;
    }

    mapping(uint32 brandId => Brand) public brand;
    mapping(uint32 brandId => mapping(address key => KeyWindow)) public brandKey;
    mapping(uint32 brandId => Ownership) internal _ownerships;
    mapping(uint32 brandId => BrandTerms.Versions) internal _terms;
    /// After a succession, for good: its points are accepted and run off, and nobody issues further ones.
    mapping(uint32 brandId => bool) public issuesNoMore;
    /// How many points of the issuer the accepting brand lets itself be owed; its own it accepts without.
    mapping(uint32 acceptorId => mapping(uint32 issuerId => uint96)) public exposureLimit;

    event BrandRegistered(uint32 indexed brandId, address indexed owner, uint96 limit);
    event BrandStatusSet(uint32 indexed brandId, uint8 status, uint24 lastDay);
    event BrandLimitSet(uint32 indexed brandId, uint96 limit);
    event BrandOwnerSet(uint32 indexed brandId, address indexed from, address indexed to);
    event IssuingEnded(uint32 indexed brandId);
    event BrandKeySet(
        uint32 indexed brandId, address indexed key, uint40 validFrom, uint40 validUntil, bool managed
    );

    error BrandIdZero();
    error BrandKnown(uint32 brandId);
    error BrandUnknown(uint32 brandId);
    error StatusNotSettable(uint8 status);
    error BrandIssuesNoMore(uint32 brandId);
    error RunOffTooShort(uint24 lastDay, uint256 earliest);
    error KeyZero();
    error OwnerZero();
    error OwnerIsBatchKey(address account);

    modifier known(uint32 brandId) {
        if (brand[brandId].status == 0) revert BrandUnknown(brandId);
        _;
    }

    function brandOwner(uint32 brandId) external view returns (address) {
        return _ownerships[brandId].owner;
    }

    /// How often the brand's owners acted: the nonce of the next act.
    function ownerActs(uint32 brandId) external view returns (uint64) {
        return _ownerships[brandId].acts;
    }

    /// @inheritdoc IBrands
    function brandState(uint32 brandId) external view returns (uint8) {
        return uint8(_stateOf(brand[brandId], _localDay()));
    }

    /// @inheritdoc IBrands
    function enter(uint32 brandId, address key) external view returns (bool isKeyValid, uint8 state, uint96 limit) {
        Brand memory of_ = brand[brandId];
        return (_isKeyValid(brandId, key), uint8(_stateOf(of_, _localDay())), of_.limit);
    }

    /// @inheritdoc IBrands
    function issuer(uint32 issuerId, uint32 acceptorId)
        external
        view
        returns (uint8 state, uint32 termsNumber, uint96 most)
    {
        state = uint8(_stateOf(brand[issuerId], _localDay()));
        return (state, _terms[issuerId].heldNumber(), exposureLimit[acceptorId][issuerId]);
    }

    /// @inheritdoc IBrands
    function redemptionRate(uint32 brandId) external view returns (uint64 minor, uint64 points) {
        return _terms[brandId].heldRate();
    }

    /// The version that holds in this block.
    function brandTerms(uint32 brandId) external view returns (TermsVersion memory) {
        return _terms[brandId].held();
    }

    /// The version that does not hold yet; all zero for none.
    function announcedTerms(uint32 brandId) external view returns (TermsVersion memory) {
        return _terms[brandId].announced();
    }

    function registerBrand(Registration calldata of_) external onlyGovernance {
        if (of_.brandId == 0) revert BrandIdZero();
        if (brand[of_.brandId].status != 0) revert BrandKnown(of_.brandId);
        brand[of_.brandId] = Brand({limit: of_.limit, status: ACTIVE, lastDay: 0});
        emit BrandRegistered(of_.brandId, of_.owner, of_.limit);
        _setOwner(of_.brandId, of_.owner);
        _setKey(of_.brandId, of_.key, of_.window);
        _terms[of_.brandId].set(of_.brandId, of_.terms);
    }

    /// Active, suspended or in default. A brand closes by running off alone; after a succession it is not active again.
    function setBrandStatus(uint32 brandId, uint8 status) external onlyGovernance known(brandId) {
        if (status != ACTIVE && status != SUSPENDED && status != IN_DEFAULT) revert StatusNotSettable(status);
        if (status == ACTIVE && issuesNoMore[brandId]) revert BrandIssuesNoMore(brandId);
        _setStatus(brandId, status, 0);
    }

    /// The brand's points are accepted until `lastDay` has ended; it may always be put off, but comes no sooner than the terms allow.
    function startRunOff(uint32 brandId, uint24 lastDay) external onlyGovernance known(brandId) {
        Brand memory of_ = brand[brandId];
        uint256 today = _localDay();
        bool isPutOff = _stateOf(of_, today) == RUNNING_OFF && lastDay >= of_.lastDay;
        uint256 earliest = today + _terms[brandId].held().terms.runOffDays;
        if (lastDay < earliest && !isPutOff) revert RunOffTooShort(lastDay, earliest);
        _setStatus(brandId, RUNNING_OFF, lastDay);
    }

    /// A limit below what is outstanding takes nothing away; it stops further issues.
    function setBrandLimit(uint32 brandId, uint96 limit) external onlyGovernance known(brandId) {
        brand[brandId].limit = limit;
        emit BrandLimitSet(brandId, limit);
    }

    /// Recovery, not succession: without the old owner, who can veto it in governance. Issuing goes on, by the same batch keys.
    function setBrandOwner(uint32 brandId, address owner) external onlyGovernance known(brandId) {
        _setOwner(brandId, owner);
    }

    /// Who owns a brand signs none of its batches: a key that is or will be valid cannot own it, an owner cannot be a key.
    function _setOwner(uint32 brandId, address owner) internal {
        if (owner == address(0)) revert OwnerZero();
        if (block.timestamp < brandKey[brandId][owner].validUntil) revert OwnerIsBatchKey(owner);
        Ownership storage of_ = _ownerships[brandId];
        emit BrandOwnerSet(brandId, of_.owner, owner);
        of_.owner = owner;
    }

    /// The key signs batches from `validFrom` until just before `validUntil` (Unix seconds); an end in the past withdraws it.
    function _setKey(uint32 brandId, address key, KeyWindow calldata window) internal {
        if (key == address(0)) revert KeyZero();
        if (key == _ownerships[brandId].owner) revert OwnerIsBatchKey(key);
        brandKey[brandId][key] = window;
        emit BrandKeySet(brandId, key, window.validFrom, window.validUntil, window.managed);
    }

    /// An active brand is suspended until governance names the last day of its run-off.
    function _endIssuing(uint32 brandId) internal {
        issuesNoMore[brandId] = true;
        emit IssuingEnded(brandId);
        if (brand[brandId].status == ACTIVE) _setStatus(brandId, SUSPENDED, 0);
    }

    function _setStatus(uint32 brandId, uint8 status, uint24 lastDay) private {
        Brand storage of_ = brand[brandId];
        (of_.status, of_.lastDay) = (status, lastDay);
        emit BrandStatusSet(brandId, status, lastDay);
    }

    function _stateOf(Brand memory of_, uint256 localDay) private pure returns (uint256) {
        return of_.status == RUNNING_OFF && localDay > of_.lastDay ? CLOSED : of_.status;
    }

    function _isKeyValid(uint32 brandId, address key) private view returns (bool) {
        KeyWindow memory window = brandKey[brandId][key];
        return window.validFrom <= block.timestamp && block.timestamp < window.validUntil;
    }
}
