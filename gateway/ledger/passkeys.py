"""Passkeys (authorizer kind 3): their bytes, and what the contract `PasskeyVerifier` answers, worked out independently of it.

An authorizer is `x (32) ‖ y (32) ‖ rpIdHash (32) ‖ origin`; a proof `r (32) ‖ s (32) ‖ n (1) ‖ authenticatorData (n) ‖ clientDataJSON`.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth_hash.auto import keccak

from gateway.ledger.members import AuthorizerKind

MAX_ORIGIN_LENGTH = 128
MAX_CLIENT_DATA_LENGTH = 512
MAX_PASSKEY_CONSENT_PROOF = 2 + 96 + MAX_ORIGIN_LENGTH + 65 + 255 + MAX_CLIENT_DATA_LENGTH
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_P256_FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_PLAIN = rb"[ !#-\[\]-~]"  # printable ASCII without the quotation mark and the backslash
_ORIGIN = re.compile(_PLAIN + rb"{1,%d}" % MAX_ORIGIN_LENGTH)
_FURTHER_NAME = re.compile(rb',"(' + _PLAIN + rb"*)")
_FURTHER_VALUE = re.compile(rb'false|true|"' + _PLAIN + rb'*"')
_SAID_BEFORE = (b"type", b"challenge", b"origin")

_USER_PRESENT, _USER_VERIFIED, _BACKUP_ELIGIBLE, _BACKED_UP = 0x01, 0x04, 0x08, 0x10


class PasskeyRefusal(StrEnum):
    """The value is the name of the verifier's error; they stand in the order in which they are looked at."""

    MALFORMED_AUTHORIZER = "MalformedAuthorizer"
    KEY_NOT_ON_CURVE = "KeyNotOnCurve"
    MALFORMED_PROOF = "MalformedProof"
    MALFORMED_CLIENT_DATA = "MalformedClientData"
    NOT_AN_ASSERTION = "NotAnAssertion"
    OTHER_CHALLENGE = "OtherChallenge"
    OTHER_ORIGIN = "OtherOrigin"
    CROSS_ORIGIN = "CrossOrigin"
    OTHER_RELYING_PARTY = "OtherRelyingParty"
    USER_NOT_PRESENT = "UserNotPresent"
    USER_NOT_VERIFIED = "UserNotVerified"
    BACKUP_FLAGS_CONTRADICT = "BackupFlagsContradict"
    SIGNATURE_OUT_OF_RANGE = "SignatureOutOfRange"
    HIGH_S = "HighS"
    WRONG_SIGNATURE = "WrongSignature"


PASSKEY_SELECTORS: dict[PasskeyRefusal, bytes] = {refusal: keccak(f"{refusal.value}()".encode())[:4] for refusal in PasskeyRefusal}


@dataclass(frozen=True, slots=True)
class Passkey:
    """A public key on P-256, the SHA-256 of the relying party's id, and the one origin at which it may consent."""

    x: bytes
    y: bytes
    rp_id_hash: bytes
    origin: str

    def authorizer(self) -> bytes:
        """The bytes that the ledger knows it by."""
        return self.x + self.y + self.rp_id_hash + self.origin.encode()


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a browser gives for `navigator.credentials.get`; `signature` in the DER form in which it comes."""

    authenticator_data: bytes
    client_data: bytes
    signature: bytes

    def proof(self) -> bytes:
        """The verifier's proof. Of the two signatures that hold alike it has the one with the lower s."""
        r, s = decode_dss_signature(self.signature)
        length = bytes([len(self.authenticator_data)])
        return r.to_bytes(32) + min(s, P256_ORDER - s).to_bytes(32) + length + self.authenticator_data + self.client_data


def consent_proof(authorizer: bytes, proof: bytes) -> bytes:
    """A consent's proof by an authorizer that a verifier contract checks."""
    return len(authorizer).to_bytes(2) + authorizer + proof


def split_consent_proof(proof: bytes) -> tuple[bytes, bytes] | None:
    """(authorizer, verifier's proof) of such a proof; None where it is too short for what it announces."""
    end = 2 + int.from_bytes(proof[:2])
    return (proof[2:end], proof[end:]) if len(proof) >= max(end, 2) else None


def authorizer_refusal(authorizer: bytes) -> PasskeyRefusal | None:
    """What is wrong with an authorizer, whatever it signs."""
    if not _ORIGIN.fullmatch(authorizer[96:]):
        return PasskeyRefusal.MALFORMED_AUTHORIZER
    try:
        _public_key(authorizer)
    except ValueError:
        return PasskeyRefusal.KEY_NOT_ON_CURVE
    return None


def passkey_refusal(digest: bytes, authorizer: bytes, proof: bytes) -> PasskeyRefusal | None:
    """Why the proof does not show that the authorizer approved of the digest; None where it does."""
    refusal = authorizer_refusal(authorizer)
    if refusal is not None:
        return refusal
    if len(proof) < 65:
        return PasskeyRefusal.MALFORMED_PROOF
    length = proof[64]
    authenticator_data, client_data = proof[65 : 65 + length], proof[65 + length :]
    if length < 37 or len(authenticator_data) < length or len(client_data) > MAX_CLIENT_DATA_LENGTH:
        return PasskeyRefusal.MALFORMED_PROOF
    return (
        _client_data_refusal(client_data, digest, authorizer[96:])
        or _authenticator_data_refusal(authenticator_data, authorizer[64:96])
        or _signature_refusal(authorizer, proof[:64], authenticator_data + sha256(client_data).digest())
    )


def verify_passkey(kind: int, digest: bytes, authorizer: bytes, proof: bytes) -> bool:
    """What the verifiers of a ledger answer on which that of passkeys is the only one."""
    return kind == AuthorizerKind.PASSKEY and passkey_refusal(digest, authorizer, proof) is None


def _client_data_refusal(client_data: bytes, digest: bytes, origin: bytes) -> PasskeyRefusal | None:
    """The three members that must come first, each with what is wrong when it is not as expected; then the rest."""
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=")
    rest = client_data
    for expected, refusal in [
        (b'{"type":"', PasskeyRefusal.MALFORMED_CLIENT_DATA),
        (b'webauthn.get"', PasskeyRefusal.NOT_AN_ASSERTION),
        (b',"challenge":"', PasskeyRefusal.MALFORMED_CLIENT_DATA),
        (challenge + b'"', PasskeyRefusal.OTHER_CHALLENGE),
        (b',"origin":"', PasskeyRefusal.MALFORMED_CLIENT_DATA),
        (origin + b'"', PasskeyRefusal.OTHER_ORIGIN),
    ]:
        if not rest.startswith(expected):
            return refusal
        rest = rest[len(expected) :]
    return _further_members_refusal(rest)


def _further_members_refusal(rest: bytes) -> PasskeyRefusal | None:
    """`,"name":value` as often as there is one, and a brace at the end."""
    while rest.startswith(b',"'):
        found = _FURTHER_NAME.match(rest)
        assert found is not None, "a name may be empty"
        name, rest = found[1], rest[found.end() :]
        if name in _SAID_BEFORE:
            return PasskeyRefusal.MALFORMED_CLIENT_DATA
        if name == b"topOrigin":
            return PasskeyRefusal.CROSS_ORIGIN
        if not rest.startswith(b'":'):
            return PasskeyRefusal.MALFORMED_CLIENT_DATA
        value = _FURTHER_VALUE.match(rest, 2)
        if name == b"crossOrigin" and (value is None or value[0] != b"false"):
            return PasskeyRefusal.CROSS_ORIGIN
        if value is None:
            return PasskeyRefusal.MALFORMED_CLIENT_DATA
        rest = rest[value.end() :]
    return None if rest == b"}" else PasskeyRefusal.MALFORMED_CLIENT_DATA


def _authenticator_data_refusal(data: bytes, rp_id_hash: bytes) -> PasskeyRefusal | None:
    flags = data[32]
    if data[:32] != rp_id_hash:
        return PasskeyRefusal.OTHER_RELYING_PARTY
    if not flags & _USER_PRESENT:
        return PasskeyRefusal.USER_NOT_PRESENT
    if not flags & _USER_VERIFIED:
        return PasskeyRefusal.USER_NOT_VERIFIED
    if flags & _BACKED_UP and not flags & _BACKUP_ELIGIBLE:
        return PasskeyRefusal.BACKUP_FLAGS_CONTRADICT
    return None


def _signature_refusal(authorizer: bytes, signature: bytes, message: bytes) -> PasskeyRefusal | None:
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if not (0 < r < P256_ORDER and 0 < s < P256_ORDER):
        return PasskeyRefusal.SIGNATURE_OUT_OF_RANGE
    if s > P256_ORDER // 2:
        return PasskeyRefusal.HIGH_S
    try:
        _public_key(authorizer).verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))
    except InvalidSignature:
        return PasskeyRefusal.WRONG_SIGNATURE
    return None


def _public_key(authorizer: bytes) -> EllipticCurvePublicKey:
    """ValueError for what is no point; OpenSSL alone would take a coordinate beyond the field for its remainder."""
    x, y = int.from_bytes(authorizer[:32]), int.from_bytes(authorizer[32:64])
    if max(x, y) >= _P256_FIELD:
        raise ValueError("a coordinate lies beyond the field")
    return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
