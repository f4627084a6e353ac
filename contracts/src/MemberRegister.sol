// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {CoalitionDomain} from "./CoalitionDomain.sol";
import {Governed} from "./Governed.sol";
import {IAuthorizerVerifier} from "./IAuthorizerVerifier.sol";
import {IMembers} from "./IMembers.sol";
import {Packed} from "./Packed.sol";
import {ACCEPTED, Refusals} from "./Refusals.sol";

/// Members and what proves their consent. Nobody but a member's own authorizers ever changes the set.
abstract contract MemberRegister is Governed, CoalitionDomain, IMembers {
    uint8 internal constant KEY = 1;
    uint8 internal constant CLAIM_KEY = 2; // may only change authorizers, and is dropped by its first change
    uint8 internal constant PASSKEY = 3; // checked by a contract
    uint256 internal constant VERIFIER_GAS = 500_000;
    bytes32 private constant CHANGE_TYPE = keccak256(
        "AuthorizerChange(address member,uint8 addKind,bytes addAuthorizer,bytes32 removeId,uint64 nonce,uint40 deadline)"
    );

    struct Enrollment {
        uint8 kind;
        bytes authorizer;
        bytes32 salt;
    }

    struct AuthorizerChange {
        address member;
        uint8 addKind; // 0 = add nothing
        bytes addAuthorizer;
        bytes32 removeId; // 0 = remove nothing
        uint64 nonce;
        uint40 deadline;
    }

    enum Standing {
        NEVER,
        PRESENT,
        REMOVED // kept apart from NEVER: enrolling again must not bring a removed first authorizer back
    }

    struct Member {
        uint64 changes;
        uint32 furtherAuthorizers; // beyond one
    }

    mapping(address member => mapping(bytes32 authorizerId => Standing)) internal _authorizers;
    mapping(address member => Member) internal _members;
    IAuthorizerVerifier public immutable passkeyVerifier; // for good: what members opted in to stays what it was

    event MemberEnrolled(address indexed member, uint8 kind, bytes authorizer);
    event AuthorizerAdded(address indexed member, uint8 kind, bytes authorizer);
    event AuthorizerRemoved(address indexed member, bytes32 authorizerId);

    error AuthorizerKindUnknown(uint8 kind);
    error AuthorizerNotAnAddress();
    error AuthorizerPresent(bytes32 authorizerId);
    error AuthorizerAbsent(bytes32 authorizerId);
    error LastAuthorizer();
    error NothingToChange();
    error ChangeExpired(uint40 deadline);
    error ChangeOutOfTurn(uint64 expectedNonce);
    error ChangeProofInvalid();
    error VerifierNotAContract();
    error NotEnoughGas();

    constructor(IAuthorizerVerifier passkeys) {
        if (address(passkeys).code.length == 0) revert VerifierNotAContract();
        passkeyVerifier = passkeys;
    }

    function isAuthorizer(address member, bytes32 authorizerId) external view returns (bool) {
        return _authorizers[member][authorizerId] == Standing.PRESENT;
    }

    /// How often the member's authorizers changed: the nonce of the next change.
    function authorizerChanges(address member) external view returns (uint64) {
        return _members[member].changes;
    }

    /// A claim key consents to nothing.
    /// @inheritdoc IMembers
    function consents(address member, bytes32 digest, uint256 kind, bytes calldata proof)
        external
        view
        returns (bytes4)
    {
        if (kind == CLAIM_KEY) return Refusals.ConsentInvalid.selector;
        (bytes32 id, bool isGood) = _prove(member, digest, kind, proof);
        if (!isGood) return Refusals.ConsentInvalid.selector;
        return _authorizers[member][id] == Standing.PRESENT ? ACCEPTED : Refusals.NotAnAuthorizer.selector;
    }

    /// @inheritdoc IMembers
    function spend(address, bytes32, uint256, uint256) external pure returns (bytes4) {
        return Refusals.GrantMissing.selector; // nobody grants anything yet
    }

    /// For anyone to relay: the member id commits to its first authorizer. Who is enrolled already is passed over.
    function enroll(Enrollment[] calldata enrollments) external {
        for (uint256 i = 0; i < enrollments.length; ++i) {
            Enrollment calldata one = enrollments[i];
            _requireKind(one.kind, one.authorizer);
            address member = address(
                uint160(
                    uint256(keccak256(abi.encodePacked(coalitionId, one.kind, keccak256(one.authorizer), one.salt)))
                )
            );
            bytes32 id = _authorizerId(one.kind, one.authorizer);
            if (_authorizers[member][id] != Standing.NEVER) continue;
            _authorizers[member][id] = Standing.PRESENT;
            emit MemberEnrolled(member, one.kind, one.authorizer);
        }
    }

    /// For anyone to relay; `proof` by an authorizer of the member of kind `proofKind`, in the form of a consent's proof.
    function changeAuthorizers(AuthorizerChange calldata change, uint8 proofKind, bytes calldata proof) external {
        if (block.timestamp > change.deadline) revert ChangeExpired(change.deadline);
        Member memory member = _members[change.member];
        if (change.nonce != member.changes) revert ChangeOutOfTurn(member.changes);
        (bytes32 signerId, bool isGood) = _prove(change.member, _changeDigest(change), proofKind, proof);
        if (!isGood) revert ChangeProofInvalid();
        if (_authorizers[change.member][signerId] != Standing.PRESENT) revert AuthorizerAbsent(signerId);
        if (change.addKind == 0 && change.removeId == 0) revert NothingToChange();

        uint256 count = 1 + uint256(member.furtherAuthorizers);
        if (proofKind == CLAIM_KEY) {
            _remove(change.member, signerId);
            --count;
        }
        if (change.removeId != 0 && !(proofKind == CLAIM_KEY && change.removeId == signerId)) {
            _remove(change.member, change.removeId);
            --count;
        }
        if (change.addKind != 0) {
            _add(change.member, change.addKind, change.addAuthorizer);
            ++count;
        }
        if (count == 0) revert LastAuthorizer();
        _members[change.member] =
            Member({changes: member.changes + 1, furtherAuthorizers: uint32(count - 1)});
    }

    /// Who approved of `digest`, and whether the proof is good. A verifier is asked only about authorizers the member has.
    function _prove(address member, bytes32 digest, uint256 kind, bytes calldata proof)
        private
        view
        returns (bytes32 authorizerId, bool isGood)
    {
        if (kind == KEY || kind == CLAIM_KEY) {
            if (proof.length != 65) return (0, false);
            (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, proof);
            if (failure != ECDSA.RecoverError.NoError) return (0, false);
            return (keccak256(abi.encodePacked(uint8(kind), signer)), true);
        }
        if (kind != PASSKEY || proof.length < 2) return (0, false);
        uint256 end = 2 + Packed.read(Packed.offset(proof), 2);
        if (end > proof.length) return (0, false);
        authorizerId = _authorizerId(PASSKEY, proof[2:end]);
        if (_authorizers[member][authorizerId] != Standing.PRESENT) return (authorizerId, true);
        return (authorizerId, _asksVerifier(digest, proof[2:end], proof[end:]));
    }

    /// A verifier that fails, whatever it does, only says no; it can never stop the batch around it.
    function _asksVerifier(bytes32 digest, bytes calldata authorizer, bytes calldata proof)
        private
        view
        returns (bool)
    {
        bytes memory question = abi.encodeCall(IAuthorizerVerifier.verify, (digest, authorizer, proof));
        address target = address(passkeyVerifier);
        // Too little gas must not turn a good proof into a refusal.
        if (gasleft() < VERIFIER_GAS + VERIFIER_GAS / 32) revert NotEnoughGas();
        bool answered;
        uint256 answer;
        assembly ("memory-safe") {
            answered := staticcall(VERIFIER_GAS, target, add(question, 32), mload(question), 0, 32)
            answered := and(answered, gt(returndatasize(), 31))
            answer := mload(0)
        }
        return answered && answer == 1;
    }

    function _add(address member, uint8 kind, bytes calldata authorizer) private {
        if (kind == CLAIM_KEY) revert AuthorizerKindUnknown(kind); // a claim key is only ever the first
        _requireKind(kind, authorizer);
        bytes32 id = _authorizerId(kind, authorizer);
        if (_authorizers[member][id] == Standing.PRESENT) revert AuthorizerPresent(id);
        _authorizers[member][id] = Standing.PRESENT;
        emit AuthorizerAdded(member, kind, authorizer);
    }

    function _remove(address member, bytes32 id) private {
        if (_authorizers[member][id] != Standing.PRESENT) revert AuthorizerAbsent(id);
        _authorizers[member][id] = Standing.REMOVED;
        emit AuthorizerRemoved(member, id);
    }

    function _requireKind(uint8 kind, bytes calldata authorizer) private pure {
        if (kind == KEY || kind == CLAIM_KEY) {
            if (authorizer.length != 20 || bytes20(authorizer) == 0) revert AuthorizerNotAnAddress();
        } else if (kind != PASSKEY) {
            revert AuthorizerKindUnknown(kind);
        }
    }

    function _authorizerId(uint8 kind, bytes calldata authorizer) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(kind, authorizer));
    }

    function _changeDigest(AuthorizerChange calldata change) private view returns (bytes32) {
        return _digest(
            keccak256(
                abi.encode(
                    CHANGE_TYPE,
                    change.member,
                    change.addKind,
                    keccak256(change.addAuthorizer),
                    change.removeId,
                    change.nonce,
                    change.deadline
                )
            )
        );
    }
}
