// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IAuthorizerVerifier} from "./IAuthorizerVerifier.sol";
import {Packed} from "./Packed.sol";

/// Kinds of authorizers, and how one shows that it approved of a digest.
abstract contract MemberProofs {
    uint8 internal constant KEY = 1;
    uint8 internal constant CLAIM_KEY = 2; // may only change authorizers, and is dropped by its first change
    uint8 internal constant PASSKEY = 3; // checked by a contract
    uint256 internal constant VERIFIER_GAS = 500_000;

    IAuthorizerVerifier public immutable passkeyVerifier; // for good: what members opted in to stays what it was

    error AuthorizerKindUnknown(uint8 kind);
    error AuthorizerNotAnAddress();
    error VerifierNotAContract();
    error NotEnoughGas();

    constructor(IAuthorizerVerifier passkeys) {
        if (address(passkeys).code.length == 0) revert VerifierNotAContract();
        passkeyVerifier = passkeys;
    }

    /// Whose proof this is. A key shows itself by its signature; what a passkey claims is still to be verified, and only the
    /// authorizers that matter are worth that: `_isGood`.
    function _signer(bytes32 digest, uint256 kind, bytes calldata proof)
        internal
        pure
        returns (bytes32 authorizerId, bool isReadable)
    {
        if (kind == KEY || kind == CLAIM_KEY) {
            if (proof.length != 65) return (0, false);
            (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, proof);
            if (failure != ECDSA.RecoverError.NoError) return (0, false);
            return (_keyId(uint8(kind), signer), true);
        }
        if (kind != PASSKEY || proof.length < 2) return (0, false);
        uint256 end = _authorizerEnd(proof);
        if (end > proof.length) return (0, false);
        return (_authorizerId(PASSKEY, proof[2:end]), true);
    }

    /// Of a proof that `_signer` could read.
    function _isGood(bytes32 digest, uint256 kind, bytes calldata proof) internal view returns (bool) {
        if (kind != PASSKEY) return true;
        uint256 end = _authorizerEnd(proof);
        return _asksVerifier(digest, proof[2:end], proof[end:]);
    }

    function _requireKind(uint8 kind, bytes calldata authorizer) internal pure {
        if (kind == KEY || kind == CLAIM_KEY) {
            if (authorizer.length != 20 || bytes20(authorizer) == 0) revert AuthorizerNotAnAddress();
        } else if (kind != PASSKEY) {
            revert AuthorizerKindUnknown(kind);
        }
    }

    function _authorizerId(uint8 kind, bytes calldata authorizer) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(kind, authorizer));
    }

    function _keyId(uint8 kind, address key) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(kind, key));
    }

    function _authorizerEnd(bytes calldata proof) private pure returns (uint256) {
        return 2 + Packed.read(Packed.offset(proof), 2);
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
}
