// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BrandOwnerActs} from "./BrandOwnerActs.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";
import {Governed} from "./Governed.sol";
import {IGovernance} from "./IGovernance.sol";
import {LocalDay} from "./LocalDay.sol";

/// The deployed register of a coalition's brands. Who may do what to a brand stands in `BrandRegister` (governance) and
/// `BrandOwnerActs` (its owner).
contract Brands is BrandOwnerActs {
    constructor(IGovernance governance_, int32 utcOffsetSeconds_)
        Governed(governance_)
        CoalitionDomain(governance_.coalitionId())
        LocalDay(utcOffsetSeconds_)
    {}
}
