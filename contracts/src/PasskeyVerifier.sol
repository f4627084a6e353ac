// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {WebAuthn} from "@openzeppelin/contracts/utils/cryptography/WebAuthn.sol";
import {IAuthorizerVerifier} from "./IAuthorizerVerifier.sol";
import {ClientData} from "./ClientData.sol";
import {ACCEPTED} from "./Refusals.sol";
import {PasskeyRefusals} from "./PasskeyRefusals.sol";

/// Authorizers of kind 3: a passkey, with the relying party and the one origin at which it may consent.
/// The library has the last word on every proof; the checks before it only add refusals, and say which it was.
contract PasskeyVerifier is IAuthorizerVerifier, PasskeyRefusals {
    uint256 private constant ORIGIN = 96; // where the authorizer's origin begins: after x, y and rpIdHash
    uint256 private constant MAX_ORIGIN = 128;
    uint256 private constant AUTHENTICATOR_DATA = 65; // where it begins in a proof: after r, s and its own length
    uint256 private constant MIN_AUTHENTICATOR_DATA = 37; // rpIdHash (32) ‖ flags (1) ‖ counter (4)
    uint256 private constant MAX_CLIENT_DATA = 512;
    uint256 private constant HALF_ORDER = P256.N / 2;

    bytes1 private constant USER_PRESENT = 0x01;
    bytes1 private constant USER_VERIFIED = 0x04;
    bytes1 private constant BACKUP_ELIGIBLE = 0x08;
    bytes1 private constant BACKED_UP = 0x10;

    function verify(bytes32 digest, bytes calldata authorizer, bytes calldata proof) external view returns (bool) {
        return check(digest, authorizer, proof) == ACCEPTED;
    }

    /// Zero, or the selector of the first refusal in the order of `PasskeyRefusals`.
    /// authorizer: x (32) ‖ y (32) ‖ rpIdHash (32) ‖ origin; proof: r (32) ‖ s (32) ‖ n (1) ‖ authenticatorData (n) ‖ clientDataJSON
    function check(bytes32 digest, bytes calldata authorizer, bytes calldata proof) public view returns (bytes4) {
        if (authorizer.length <= ORIGIN || authorizer.length > ORIGIN + MAX_ORIGIN) return MalformedAuthorizer.selector;
        bytes calldata origin = authorizer[ORIGIN:];
        if (ClientData.plainUntil(origin, 0) != origin.length) return MalformedAuthorizer.selector;
        bytes32 x = bytes32(authorizer);
        bytes32 y = bytes32(authorizer[32:]);
        if (!P256.isValidPublicKey(x, y)) return KeyNotOnCurve.selector;

        if (proof.length < AUTHENTICATOR_DATA) return MalformedProof.selector;
        uint256 end = AUTHENTICATOR_DATA + uint8(proof[AUTHENTICATOR_DATA - 1]);
        if (end < AUTHENTICATOR_DATA + MIN_AUTHENTICATOR_DATA || proof.length < end) return MalformedProof.selector;
        if (proof.length - end > MAX_CLIENT_DATA) return MalformedProof.selector;
        bytes calldata authenticatorData = proof[AUTHENTICATOR_DATA:end];
        bytes calldata clientData = proof[end:];

        bytes4 refusal = ClientData.check(clientData, Base64.encodeURL(bytes.concat(digest)), origin);
        if (refusal != ACCEPTED) return refusal;
        if (bytes32(authenticatorData) != bytes32(authorizer[64:])) return OtherRelyingParty.selector;
        refusal = _checkFlags(authenticatorData[32]);
        if (refusal != ACCEPTED) return refusal;
        bytes32 r = bytes32(proof);
        bytes32 s = bytes32(proof[32:]);
        if (r == 0 || uint256(r) >= P256.N || s == 0 || uint256(s) >= P256.N) return SignatureOutOfRange.selector;
        if (uint256(s) > HALF_ORDER) return HighS.selector;
        WebAuthn.WebAuthnAuth memory assertion = WebAuthn.WebAuthnAuth({
            r: r,
            s: s,
            challengeIndex: ClientData.CHALLENGE,
            typeIndex: ClientData.TYPE,
            authenticatorData: authenticatorData,
            clientDataJSON: string(clientData)
        });
        return WebAuthn.verify(bytes.concat(digest), assertion, x, y) ? ACCEPTED : WrongSignature.selector;
    }

    function _checkFlags(bytes1 flags) private pure returns (bytes4) {
        if (flags & USER_PRESENT == 0) return UserNotPresent.selector;
        if (flags & USER_VERIFIED == 0) return UserNotVerified.selector;
        if (flags & BACKED_UP != 0 && flags & BACKUP_ELIGIBLE == 0) return BackupFlagsContradict.selector;
        return ACCEPTED;
    }
}
