// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMembers} from "./IMembers.sol";
import {MemberRegister} from "./MemberRegister.sol";
import {ACCEPTED, Refusals} from "./Refusals.sol";

/// What a member's authorizers approve of: consents, and acts on the member that anybody relays. Nobody else acts for a member.
abstract contract MemberActs is MemberRegister {
    bytes32 private constant CHANGE_TYPE = keccak256(
        "AuthorizerChange(address member,uint8 addKind,bytes addAuthorizer,bytes32 removeId,uint64 nonce,uint40 deadline)"
    );

    struct AuthorizerChange {
        address member;
        uint8 addKind; // 0 = add nothing
        bytes addAuthorizer;
        bytes32 removeId; // 0 = remove nothing; otherwise the signer itself
        uint64 nonce;
        uint40 deadline;
    }

    event MemberActed(address indexed member, uint64 acts);

    error MemberActExpired(uint40 deadline);
    error MemberActOutOfTurn(uint64 expectedNonce);
    error MemberProofInvalid();
    error ClaimKeyOnlyChanges();
    error SpendLocked(address member);
    error NothingToChange();
    error RemovalWaits(bytes32 authorizerId);

    /// A claim key consents to nothing, and a locked member to nothing either.
    /// @inheritdoc IMembers
    function consents(address member, bytes32 digest, uint256 kind, bytes calldata proof)
        external
        view
        returns (bytes4)
    {
        if (_members[member].isLocked) return Refusals.MemberLocked.selector;
        if (kind == CLAIM_KEY) return Refusals.ConsentInvalid.selector;
        (bytes32 id, bool isReadable) = _signer(digest, kind, proof);
        if (!isReadable) return Refusals.ConsentInvalid.selector;
        if (!_isAuthorizer(member, id)) return Refusals.NotAnAuthorizer.selector;
        return _isGood(digest, kind, proof) ? ACCEPTED : Refusals.ConsentInvalid.selector;
    }

    /// For anyone to relay; `proof` by an authorizer of the member of kind `proofKind`, in the form of a consent's proof.
    /// Adds at once unless locked, removes at once the signer alone: another authorizer can object to its removal.
    function changeAuthorizers(AuthorizerChange calldata change, uint8 proofKind, bytes calldata proof) external {
        Member storage member = _members[change.member];
        bytes32 signerId =
            _inTurn(change.member, change.nonce, change.deadline, _changeHash(change), proofKind, proof);
        if (change.addKind == 0 && change.removeId == 0) revert NothingToChange();
        if (change.removeId != 0 && change.removeId != signerId) revert RemovalWaits(change.removeId);
        uint256 count = 1 + uint256(member.furtherAuthorizers);
        if (proofKind == CLAIM_KEY || change.removeId != 0) {
            _remove(change.member, signerId);
            --count;
        }
        if (change.addKind != 0) {
            _requireUnlocked(change.member);
            _add(change.member, change.addKind, change.addAuthorizer);
            ++count;
        }
        if (count == 0) revert LastAuthorizer();
        member.furtherAuthorizers = uint32(count - 1);
    }

    /// An act in its turn, by an authorizer of the member; nothing counts twice.
    function _inTurn(
        address member,
        uint64 nonce,
        uint40 deadline,
        bytes32 structHash,
        uint8 proofKind,
        bytes calldata proof
    ) internal returns (bytes32 signerId) {
        _requireInTime(deadline);
        uint64 acts = _members[member].acts;
        if (nonce != acts) revert MemberActOutOfTurn(acts);
        _members[member].acts = acts + 1;
        emit MemberActed(member, acts + 1);
        return _requireAuthorizer(member, _digest(structHash), proofKind, proof);
    }

    function _requireInTime(uint40 deadline) internal view {
        if (block.timestamp > deadline) revert MemberActExpired(deadline);
    }

    function _requireUnlocked(address member) internal view {
        if (_members[member].isLocked) revert SpendLocked(member);
    }

    /// Every act but a change of authorizers.
    function _refuseClaimKey(uint8 proofKind) internal pure {
        if (proofKind == CLAIM_KEY) revert ClaimKeyOnlyChanges();
    }

    function _requireAuthorizer(address member, bytes32 digest, uint8 proofKind, bytes calldata proof)
        internal
        view
        returns (bytes32 id)
    {
        bool isReadable;
        (id, isReadable) = _signer(digest, proofKind, proof);
        if (!isReadable) revert MemberProofInvalid();
        if (!_isAuthorizer(member, id)) revert AuthorizerAbsent(id);
        if (!_isGood(digest, proofKind, proof)) revert MemberProofInvalid();
    }

    function _changeHash(AuthorizerChange calldata change) private pure returns (bytes32) {
        return keccak256(
            abi.encode(
                CHANGE_TYPE,
                change.member,
                change.addKind,
                keccak256(change.addAuthorizer),
                change.removeId,
                change.nonce,
                change.deadline
            )
        );
    }
}
