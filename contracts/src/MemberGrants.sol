// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMembers} from "./IMembers.sol";
import {MemberActs} from "./MemberActs.sol";
import {ACCEPTED, Refusals} from "./Refusals.sol";

/// Standing leaves to spend a member's points, for a brand or for another member, within limits. A grant covers the points of
/// its giver alone: whoever may spend them cannot pass that on.
abstract contract MemberGrants is MemberActs {
    bytes32 private constant GRANT_TYPE = keccak256(
        "Grant(address giver,bytes32 to,uint64 perPurchase,uint64 perDay,uint64 inAll,uint40 until,uint64 nonce,uint40 deadline)"
    );

    struct Grant {
        address giver;
        bytes32 to; // a brand id or a member, as a number
        uint64 perPurchase; // 0 withdraws
        uint64 perDay; // of the coalition's calendar
        uint64 inAll;
        uint40 until; // the last second
        uint64 nonce;
        uint40 deadline;
    }

    struct Limits {
        uint64 perPurchase;
        uint64 perDay;
        uint64 inAll;
        uint40 until;
    }

    struct Spent {
        uint64 inAll;
        uint64 onDay;
        uint32 localDay;
    }

    struct GrantRecord {
        Limits limits;
        Spent spent;
    }

    mapping(uint256 seat => mapping(bytes32 to => GrantRecord)) private _grants;

    /// @inheritdoc IMembers
    address public immutable pointsLedger;

    event GrantSet(
        address indexed giver, bytes32 indexed to, uint64 perPurchase, uint64 perDay, uint64 inAll, uint40 until
    );

    error GrantToNobody(bytes32 to);
    error NotPointsLedger(address account);

    constructor(address pointsLedger_) {
        pointsLedger = pointsLedger_;
    }

    /// What was granted last, and what was spent of it, `onDay` on `localDay`.
    function grantOf(address giver, bytes32 to) external view returns (Limits memory limits, Spent memory spent) {
        GrantRecord storage of_ = _grants[_seat(giver)][to];
        return (of_.limits, of_.spent);
    }

    /// For anyone to relay. Holds at once, in the place of the one before: nothing is spent of it yet. A locked member only withdraws.
    function setGrant(Grant calldata grant, uint8 proofKind, bytes calldata proof) external {
        _refuseClaimKey(proofKind);
        _inTurn(grant.giver, grant.nonce, grant.deadline, keccak256(abi.encode(GRANT_TYPE, grant)), proofKind, proof);
        if (grant.to == 0 || uint256(grant.to) > type(uint160).max) revert GrantToNobody(grant.to);
        if (grant.perPurchase != 0) _requireUnlocked(grant.giver);
        GrantRecord storage of_ = _grants[_seat(grant.giver)][grant.to];
        of_.limits = Limits(grant.perPurchase, grant.perDay, grant.inAll, grant.until);
        of_.spent = Spent(0, 0, 0);
        emit GrantSet(grant.giver, grant.to, grant.perPurchase, grant.perDay, grant.inAll, grant.until);
    }

    /// @inheritdoc IMembers
    function spend(address giver, bytes32 to, uint256 points, uint256 localDay) external returns (bytes4) {
        if (msg.sender != pointsLedger) revert NotPointsLedger(msg.sender);
        if (_members[giver].isLocked) return Refusals.MemberLocked.selector;
        GrantRecord storage of_ = _grants[_seat(giver)][to];
        Limits memory limits = of_.limits;
        if (limits.perPurchase == 0 || block.timestamp > limits.until) return Refusals.GrantMissing.selector;
        Spent memory spent = of_.spent;
        if (points > limits.perPurchase) return Refusals.GrantExceeded.selector;
        uint256 onDay = points + (spent.localDay == localDay ? spent.onDay : 0);
        uint256 inAll = points + spent.inAll;
        if (onDay > limits.perDay || inAll > limits.inAll) return Refusals.GrantExceeded.selector;
        of_.spent = Spent(uint64(inAll), uint64(onDay), uint32(localDay));
        return ACCEPTED;
    }
}
