// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CoalitionDomain} from "./CoalitionDomain.sol";
import {DelayedMemberActs} from "./DelayedMemberActs.sol";
import {Governed} from "./Governed.sol";
import {IAuthorizerVerifier} from "./IAuthorizerVerifier.sol";
import {IGovernance} from "./IGovernance.sol";
import {MemberGrants} from "./MemberGrants.sol";
import {MemberProofs} from "./MemberProofs.sol";
import {SpendLock} from "./SpendLock.sol";

/// The deployed register of a coalition's members. `delay`: how long the acts wait that a stolen phone must not do at once.
contract Members is SpendLock, MemberGrants, DelayedMemberActs {
    constructor(IGovernance governance_, IAuthorizerVerifier passkeys, address pointsLedger_, uint256 delay)
        Governed(governance_)
        CoalitionDomain(governance_.coalitionId())
        MemberProofs(passkeys)
        MemberGrants(pointsLedger_)
        DelayedMemberActs(delay)
    {}
}
