// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MemberActs} from "./MemberActs.sol";

/// A member stops all spending of its points, from the block on and at every brand. Only the member's own authorizers can.
abstract contract SpendLock is MemberActs {
    bytes32 private constant LOCK_TYPE = keccak256("SpendLock(address member,uint64 nonce,uint40 deadline)");

    event MemberLocked(address indexed member);

    /// For anyone to relay. The nonce is the member's turn and not its acts: a thief could act on and on to stay ahead. Locked once
    /// more, a member stays locked, and what was pending falls.
    function lockSpending(
        address member,
        uint64 nonce,
        uint40 deadline,
        uint8 proofKind,
        bytes calldata proof
    ) external {
        _refuseClaimKey(proofKind);
        _requireInTime(deadline);
        Member storage of_ = _members[member];
        if (nonce != of_.turn) revert MemberActOutOfTurn(of_.turn);
        bytes32 structHash = keccak256(abi.encode(LOCK_TYPE, member, nonce, deadline));
        _requireAuthorizer(member, _digest(structHash), proofKind, proof);
        ++of_.turn;
        of_.isLocked = true;
        emit MemberLocked(member);
    }
}
