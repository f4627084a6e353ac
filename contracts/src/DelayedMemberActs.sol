// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardianship} from "./Guardianship.sol";

/// What a stolen phone must not do at once: unlock, remove another authorizer, replace the guardian; and what the guardian does. Each
/// waits a delay, in which any authorizer or the guardian stops it by a signature. Then anybody carries it out.
abstract contract DelayedMemberActs is Guardianship {
    bytes32 private constant VETO_TYPE = keccak256("Veto(address member,bytes32 act)");
    bytes32 private constant UNLOCK_TYPE = keccak256("Unlock(address member,uint64 nonce,uint40 deadline)");
    bytes32 private constant REMOVE_TYPE = keccak256(
        "RemoveAuthorizer(address member,uint8 kind,bytes authorizer,uint64 nonce,uint40 deadline)"
    );
    bytes32 private constant GUARDIAN_TYPE =
        keccak256("SetGuardian(address member,uint8 kind,bytes authorizer,uint64 nonce,uint40 deadline)");
    bytes32 private constant RECOVER_TYPE =
        keccak256("Recovery(address member,uint8 kind,bytes authorizer,uint64 nonce,uint40 deadline)");

    uint256 public constant ACT_LIFETIME = 30 days; // from the second an act is ready
    uint256 private constant SHORTEST_DELAY = 1 days; // but in a sandbox
    uint256 private constant LONGEST_DELAY = 30 days;

    enum What {
        UNLOCK,
        REMOVE_AUTHORIZER,
        SET_GUARDIAN, // kind 0 = none
        RECOVER // signed by the guardian
    }

    /// An unlock has no authorizer: kind 0.
    struct DelayedAct {
        What what;
        address member;
        uint8 kind;
        bytes authorizer;
        uint64 nonce; // `memberActs`; of a recovery any number
        uint40 deadline; // of the request
    }

    enum Stage {
        NEVER,
        PENDING,
        OVER // never again, so that what was signed once does not come back
    }

    struct Pending {
        address member;
        uint40 readyAt;
        uint32 turn;
        Stage stage;
    }

    uint256 public immutable memberDelay;
    mapping(bytes32 actId => Pending) public pendingAct; // by the EIP-712 digest

    event ActRequested(
        address indexed member,
        bytes32 indexed actId,
        What what,
        uint8 kind,
        bytes authorizer,
        uint64 nonce,
        uint40 deadline,
        uint40 readyAt
    );
    event ActExecuted(address indexed member, bytes32 indexed actId);
    event ActVetoed(address indexed member, bytes32 indexed actId, bytes32 authorizerId);
    event MemberUnlocked(address indexed member);

    error MemberDelayOutOfRange(uint256 delay);
    error ActUsed(bytes32 actId);
    error ActNotPending(bytes32 actId);
    error ActNotReady(uint40 readyAt);
    error ActFallen(bytes32 actId);
    error MemberActLapsed(bytes32 actId);
    error NotLocked(address member);
    error UnlockNamesAuthorizer();

    constructor(uint256 delay) {
        if (delay > LONGEST_DELAY || (delay < SHORTEST_DELAY && !sandbox)) revert MemberDelayOutOfRange(delay);
        memberDelay = delay;
    }

    /// For anyone to relay. A first guardian is set at once unless the member is locked; everything else waits.
    function requestAct(DelayedAct calldata act, uint8 proofKind, bytes calldata proof) external {
        _refuseClaimKey(proofKind);
        bytes32 structHash = _structHash(act);
        bytes32 id = _digest(structHash);
        if (act.what == What.RECOVER) {
            _requireInTime(act.deadline);
            if (pendingAct[id].stage != Stage.NEVER) revert ActUsed(id);
            _requireGuardian(act.member, id, proofKind, proof);
        } else {
            _inTurn(act.member, act.nonce, act.deadline, structHash, proofKind, proof);
        }
        _requirePossible(act);
        Member memory member = _members[act.member];
        if (act.what == What.SET_GUARDIAN && _guardians[act.member] == 0 && !member.isLocked) {
            _setGuardian(act.member, act.kind, act.authorizer);
            return;
        }
        uint40 readyAt = uint40(block.timestamp + memberDelay);
        pendingAct[id] = Pending(act.member, readyAt, member.turn, Stage.PENDING);
        emit ActRequested(
            act.member, id, act.what, act.kind, act.authorizer, act.nonce, act.deadline, readyAt
        );
    }

    /// For anyone.
    function executeAct(DelayedAct calldata act) external {
        bytes32 id = _digest(_structHash(act));
        Pending memory pending = pendingAct[id];
        if (pending.stage != Stage.PENDING) revert ActNotPending(id);
        if (pending.turn != _members[act.member].turn) revert ActFallen(id);
        if (block.timestamp < pending.readyAt) revert ActNotReady(pending.readyAt);
        if (block.timestamp > pending.readyAt + ACT_LIFETIME) revert MemberActLapsed(id);
        _requirePossible(act);
        pendingAct[id].stage = Stage.OVER;
        emit ActExecuted(act.member, id);
        _carryOut(act);
    }

    /// For anyone to relay; good for as long as the act is pending, and out of turn, so that no other act can get in its way.
    function vetoAct(bytes32 id, uint8 proofKind, bytes calldata proof) external {
        _refuseClaimKey(proofKind);
        Pending memory pending = pendingAct[id];
        if (pending.stage != Stage.PENDING) revert ActNotPending(id);
        bytes32 digest = _digest(keccak256(abi.encode(VETO_TYPE, pending.member, id)));
        (bytes32 signerId, bool isReadable) = _signer(digest, proofKind, proof);
        if (!isReadable) revert MemberProofInvalid();
        if (!_isAuthorizer(pending.member, signerId) && !_isGuardian(pending.member, signerId)) {
            revert AuthorizerAbsent(signerId);
        }
        if (!_isGood(digest, proofKind, proof)) revert MemberProofInvalid();
        pendingAct[id].stage = Stage.OVER;
        emit ActVetoed(pending.member, id, signerId);
    }

    /// When it is requested, and again when it is carried out.
    function _requirePossible(DelayedAct calldata act) private view {
        if (act.what == What.UNLOCK) {
            if (!_members[act.member].isLocked) revert NotLocked(act.member);
        } else if (act.what == What.SET_GUARDIAN) {
            _requireGuardianPossible(act.member, act.kind, act.authorizer);
        } else if (act.what == What.REMOVE_AUTHORIZER) {
            bytes32 id = _authorizerId(act.kind, act.authorizer);
            if (!_isAuthorizer(act.member, id)) revert AuthorizerAbsent(id);
            if (_members[act.member].furtherAuthorizers == 0) revert LastAuthorizer();
        } else {
            _requireRecoveryPossible(act.member, act.kind, act.authorizer);
        }
    }

    function _carryOut(DelayedAct calldata act) private {
        if (act.what == What.UNLOCK) {
            _members[act.member].isLocked = false;
            emit MemberUnlocked(act.member);
        } else if (act.what == What.SET_GUARDIAN) {
            _setGuardian(act.member, act.kind, act.authorizer);
        } else if (act.what == What.REMOVE_AUTHORIZER) {
            --_members[act.member].furtherAuthorizers;
            _remove(act.member, _authorizerId(act.kind, act.authorizer));
        } else {
            _recover(act.member, act.kind, act.authorizer);
        }
    }

    function _structHash(DelayedAct calldata act) private pure returns (bytes32) {
        if (act.what == What.UNLOCK) {
            if (act.kind != 0 || act.authorizer.length != 0) revert UnlockNamesAuthorizer();
            return keccak256(abi.encode(UNLOCK_TYPE, act.member, act.nonce, act.deadline));
        }
        bytes32 type_ = act.what == What.REMOVE_AUTHORIZER
            ? REMOVE_TYPE
            : act.what == What.SET_GUARDIAN ? GUARDIAN_TYPE : RECOVER_TYPE;
        return keccak256(
            abi.encode(type_, act.member, act.kind, keccak256(act.authorizer), act.nonce, act.deadline)
        );
    }
}
