// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MemberActs} from "./MemberActs.sol";

/// Whom a member trusts to bring it back when its authorizers are lost: one key or passkey, which spends nothing and acts by delayed
/// acts alone. Never the operator's account.
abstract contract Guardianship is MemberActs {
    mapping(address member => bytes32 authorizerId) internal _guardians; // 0 = none

    event GuardianSet(address indexed member, uint8 kind, bytes authorizer); // kind 0 = none any more
    event MemberRecovered(address indexed member, uint32 epoch, uint8 kind, bytes authorizer);

    error GuardianIsOperator();
    error GuardianUnchanged();
    error NotGuardian(address member, bytes32 authorizerId);

    function guardianOf(address member) external view returns (bytes32 authorizerId) {
        return _guardians[member];
    }

    function _setGuardian(address member, uint8 kind, bytes calldata authorizer) internal {
        _guardians[member] = _guardianId(kind, authorizer);
        ++_members[member].turn;
        emit GuardianSet(member, kind, authorizer);
    }

    /// The one authorizer that takes the place of all; the grants that the member gave are over.
    function _recover(address member, uint8 kind, bytes calldata authorizer) internal {
        Member storage of_ = _members[member];
        ++of_.turn;
        uint32 epoch = ++of_.epoch;
        of_.furtherAuthorizers = 0;
        emit MemberRecovered(member, epoch, kind, authorizer);
        _add(member, kind, authorizer);
    }

    function _requireGuardianPossible(address member, uint8 kind, bytes calldata authorizer) internal view {
        bytes32 id = _guardianId(kind, authorizer);
        if (id == _guardians[member]) revert GuardianUnchanged();
        if (id == _operatorId()) revert GuardianIsOperator();
    }

    function _requireRecoveryPossible(address member, uint8 kind, bytes calldata authorizer) internal view {
        if (_guardians[member] == _operatorId()) revert GuardianIsOperator(); // since it asked for this
        if (kind == CLAIM_KEY) revert AuthorizerKindUnknown(kind);
        _requireKind(kind, authorizer);
    }

    /// A guardian whose account became the operator's is none.
    function _requireGuardian(address member, bytes32 digest, uint8 proofKind, bytes calldata proof) internal view {
        (bytes32 id, bool isReadable) = _signer(digest, proofKind, proof);
        if (!isReadable) revert MemberProofInvalid();
        if (!_isGuardian(member, id)) revert NotGuardian(member, id);
        if (!_isGood(digest, proofKind, proof)) revert MemberProofInvalid();
    }

    function _isGuardian(address member, bytes32 id) internal view returns (bool) {
        return id == _guardians[member] && id != 0 && id != _operatorId();
    }

    function _guardianId(uint8 kind, bytes calldata authorizer) private pure returns (bytes32) {
        if (kind == 0 && authorizer.length == 0) return 0;
        if (kind == CLAIM_KEY) revert AuthorizerKindUnknown(kind);
        _requireKind(kind, authorizer);
        return _authorizerId(kind, authorizer);
    }

    function _operatorId() private view returns (bytes32) {
        return _keyId(KEY, governance.operator());
    }
}
