// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CoalitionDomain} from "./CoalitionDomain.sol";
import {Governed} from "./Governed.sol";
import {IAuthorizerVerifier} from "./IAuthorizerVerifier.sol";
import {IGovernance} from "./IGovernance.sol";
import {IMembers} from "./IMembers.sol";
import {MemberRegister} from "./MemberRegister.sol";

/// The deployed register of a coalition's members.
contract Members is MemberRegister {
    /// @inheritdoc IMembers
    address public immutable pointsLedger;

    constructor(IGovernance governance_, IAuthorizerVerifier passkeys, address pointsLedger_)
        Governed(governance_)
        CoalitionDomain(governance_.coalitionId())
        MemberRegister(passkeys)
    {
        pointsLedger = pointsLedger_;
    }
}
