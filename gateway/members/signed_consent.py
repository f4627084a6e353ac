"""Whether a member's key or passkey signed what it had to sign, in time: by the ledger's rules."""

from __future__ import annotations

from collections.abc import Collection

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from gateway.ledger.members import AuthorizerKind
from gateway.ledger.model_spending import MAX_CONSENT_SECONDS
from gateway.ledger.passkeys import passkey_refusal, split_consent_proof
from gateway.members.member import Authorizer
from gateway.members.passkey_refusals import PASSKEY_REFUSALS
from gateway.values.calendar import it_is, moment_in_words
from gateway.values.errors import ConsentRefused, Invalid

MAX_NONCE = 2**53 - 1  # a JSON number that every client reads exactly
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def check_nonce(nonce: int) -> None:
    """A nonce is a number that every client reads exactly."""
    if not 0 <= nonce <= MAX_NONCE:
        raise Invalid(f"nonce must be from 0 to {MAX_NONCE}", field="nonce")


def check_deadline(deadline: int, now: int) -> None:
    """A consent's deadline lies ahead, at most seven days."""
    facts = {"deadline": moment_in_words(deadline), "now": moment_in_words(now)}
    if deadline <= now:
        raise ConsentRefused(f"the consent's deadline {facts['deadline']} has passed: {it_is(now)}", **facts)
    if deadline > now + MAX_CONSENT_SECONDS:
        raise ConsentRefused(f"the consent's deadline {facts['deadline']} is more than 7 days ahead: {it_is(now)}", **facts)


def check_consent(digest: bytes, proof_kind: int, proof: bytes, authorizers: Collection[Authorizer]) -> None:
    """Refuses unless one of the member's keys or passkeys signed the digest. A claim key may not spend."""
    if proof_kind == AuthorizerKind.KEY:
        if Authorizer(AuthorizerKind.KEY, _signer(digest, proof)) not in authorizers:
            raise ConsentRefused("the consent is not signed by one of the member's keys over these very terms")
    elif proof_kind == AuthorizerKind.PASSKEY:
        _check_passkey(digest, proof, authorizers)
    else:
        raise ConsentRefused("this coalition accepts consent by a member's key (proof kind 1) or passkey (3)", proof_kind=proof_kind)


def _check_passkey(digest: bytes, proof: bytes, authorizers: Collection[Authorizer]) -> None:
    """As ledger and verifier contract do, so that a bad assertion is answered with its reason instead of becoming a refused entry."""
    parts = split_consent_proof(proof)
    if parts is None:
        raise ConsentRefused("a passkey's proof begins with the length of its authorizer (2 bytes) and the authorizer")
    authorizer, assertion = parts
    if Authorizer(AuthorizerKind.PASSKEY, authorizer) not in authorizers:
        raise ConsentRefused("the passkey named in the proof is not one of the member's")
    refusal = passkey_refusal(digest, authorizer, assertion)
    if refusal is not None:
        raise ConsentRefused(PASSKEY_REFUSALS[refusal], reason=refusal.value)


def _signer(digest: bytes, proof: bytes) -> bytes:
    """The address whose key signed, by the contract's rules: 65 bytes, v 27 or 28, low s."""
    if len(proof) != 65 or proof[64] not in (27, 28):
        raise ConsentRefused("a key's signature is 65 bytes r, s, v with v 27 or 28")
    r, s = int.from_bytes(proof[:32]), int.from_bytes(proof[32:64])
    if s > _HALF_ORDER:
        raise ConsentRefused("the signature's s is not in the lower half")
    try:
        return Signature(vrs=(proof[64] - 27, r, s)).recover_public_key_from_msg_hash(digest).to_canonical_address()
    except (BadSignature, ValidationError) as wrong:
        raise ConsentRefused("the signature is no signature of secp256k1") from wrong
