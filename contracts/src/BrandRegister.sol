// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

/// Brands: status, limit on outstanding points, signing keys with validity windows, terms. Changed by roles, each with an event.
abstract contract BrandRegister is AccessManaged {
    uint8 internal constant ACTIVE = 1;
    uint8 internal constant SUSPENDED = 2; // issues, authorizes and redeems nothing; everything else goes
    uint8 internal constant EXITED = 3; // as suspended

    struct Brand {
        uint128 outstanding;
        uint96 limit;
        uint8 status;
    }

    struct KeyWindow {
        uint40 validFrom;
        uint40 validUntil;
    }

    /// Integer ratios, money in minor units of the settlement currency: `parMinor` is what the issuer pays per `parPoints`,
    /// `redemptionMinor` what the brand gives a member per `redemptionPoints`.
    struct Terms {
        uint64 parMinor;
        uint64 parPoints;
        uint64 redemptionMinor;
        uint64 redemptionPoints;
    }

    mapping(uint32 brandId => Brand) public brand;
    mapping(uint32 brandId => mapping(address key => KeyWindow)) public brandKey;
    mapping(uint32 brandId => Terms) public brandTerms;

    event BrandRegistered(uint32 indexed brandId, uint96 limit);
    event BrandStatusSet(uint32 indexed brandId, uint8 status);
    event BrandLimitSet(uint32 indexed brandId, uint96 limit);
    event BrandKeySet(uint32 indexed brandId, address indexed key, uint40 validFrom, uint40 validUntil);
    event BrandTermsSet(
        uint32 indexed brandId, uint64 parMinor, uint64 parPoints, uint64 redemptionMinor, uint64 redemptionPoints
    );

    error BrandIdZero();
    error BrandKnown(uint32 brandId);
    error BrandUnknown(uint32 brandId);
    error StatusUnknown(uint8 status);
    error KeyZero();
    error RatioZero();

    modifier known(uint32 brandId) {
        if (brand[brandId].status == 0) revert BrandUnknown(brandId);
        _;
    }

    function registerBrand(uint32 brandId, uint96 limit) external restricted {
        if (brandId == 0) revert BrandIdZero();
        if (brand[brandId].status != 0) revert BrandKnown(brandId);
        brand[brandId] = Brand({outstanding: 0, limit: limit, status: ACTIVE});
        emit BrandRegistered(brandId, limit);
    }

    function setBrandStatus(uint32 brandId, uint8 status) external restricted known(brandId) {
        if (status < ACTIVE || status > EXITED) revert StatusUnknown(status);
        brand[brandId].status = status;
        emit BrandStatusSet(brandId, status);
    }

    /// A limit below what is outstanding takes nothing away; it stops further issues.
    function setBrandLimit(uint32 brandId, uint96 limit) external restricted known(brandId) {
        brand[brandId].limit = limit;
        emit BrandLimitSet(brandId, limit);
    }

    /// The key signs batches from `validFrom` until just before `validUntil` (Unix seconds); an end in the past withdraws it.
    function setBrandKey(uint32 brandId, address key, uint40 validFrom, uint40 validUntil)
        external
        restricted
        known(brandId)
    {
        if (key == address(0)) revert KeyZero();
        brandKey[brandId][key] = KeyWindow({validFrom: validFrom, validUntil: validUntil});
        emit BrandKeySet(brandId, key, validFrom, validUntil);
    }

    /// The version of the terms is the block they were set in: earlier ones are in the events and in past states.
    function setBrandTerms(uint32 brandId, Terms calldata terms) external restricted known(brandId) {
        if (terms.parPoints == 0 || terms.redemptionPoints == 0) revert RatioZero();
        brandTerms[brandId] = terms;
        emit BrandTermsSet(brandId, terms.parMinor, terms.parPoints, terms.redemptionMinor, terms.redemptionPoints);
    }

    function _isKeyValid(uint32 brandId, address key) internal view returns (bool) {
        KeyWindow memory window = brandKey[brandId][key];
        return window.validFrom <= block.timestamp && block.timestamp < window.validUntil;
    }
}
