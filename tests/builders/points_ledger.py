"""The committed contracts deployed on an in-memory chain, with brands and members who sign, beside the plain-Python model.

Every batch goes to both, and their refusals, roots and records must be the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_keys import keys
from eth_keys.exceptions import BadSignature
from eth_keys.exceptions import ValidationError as SignatureMalformed
from eth_utils import keccak

from gateway.ledger.batches import batch_record, entries_root
from gateway.ledger.entries import Authorize, ConsentProof, Entry, Redeem, encode_entry, pack_entries
from gateway.ledger.lots import Line, lot_id
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.ledger.model import LedgerModel, Verify, no_verifiers
from gateway.ledger.passkeys import verify_passkey
from gateway.ledger.refusals import RefusalReason, refusal_of
from gateway.ledger.signing import Domain, authorizer_change_digest, batch_digest, consent_digest
from tests.builders.abi import Event, contract_abi
from tests.builders.ledger_chain import LedgerChain, Outcome, key_of

COALITION_ID = keccak(text="the test coalition")
UTC_OFFSET_SECONDS = 3_600
LIMIT = 10**12
FOREVER = 2**40 - 1
SECP256K1_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

Reasons = list[tuple[int, RefusalReason]]


class PointsLedger:
    """`brands` have one signing key each, named `brand <id>`; `number` counts batches up where a test names none."""

    def __init__(
        self,
        brands: Sequence[int] = (1, 2),
        limit: int = LIMIT,
        model: type[LedgerModel] = LedgerModel,
        chain: LedgerChain | None = None,
    ) -> None:
        self.chain = chain or LedgerChain()
        self.abi = contract_abi("PointsLedger")
        self.access = contract_abi("AccessManager")
        operator = address_of(self.chain.operator)
        self.authority = self.chain.deploy(self.access.creation(operator))
        self.address = self.chain.deploy(self.abi.creation(self.authority, COALITION_ID, b"EUR", UTC_OFFSET_SECONDS))
        self.domain = Domain(self.chain.chain_id, self.address, COALITION_ID)
        self.model = model(self.domain, UTC_OFFSET_SECONDS, recover, lambda *asked: self.verifier_says(*asked))
        self.verifier_says: Verify = no_verifiers  # what the model takes a verifier contract to answer
        self.last_number = 0
        for brand in brands:
            self.register(brand, limit)

    @property
    def now(self) -> int:
        """The timestamp of the next block."""
        return self.chain.next_timestamp

    # Registers

    def register(self, brand: int, limit: int = LIMIT) -> None:
        self.admin("registerBrand", brand, limit)
        self.model.register_brand(brand, limit)
        self.admin("setBrandKey", brand, address_of(brand_key(brand)), 0, FOREVER)

    def set_status(self, brand: int, status: int) -> None:
        self.admin("setBrandStatus", brand, status)
        self.model.set_brand_status(brand, status)

    def set_limit(self, brand: int, limit: int) -> None:
        self.admin("setBrandLimit", brand, limit)
        self.model.set_brand_limit(brand, limit)

    def admin(self, function: str, *arguments: Any) -> Outcome:
        outcome = self.transact(function, *arguments)
        assert outcome.succeeded, self.reverted(outcome)
        return outcome

    def install_passkeys(self) -> None:
        """Deploys the passkey verifier and registers it for kind 3."""
        self.passkey_verifier = self.chain.deploy(contract_abi("PasskeyVerifier").creation())
        self.admin("setVerifier", AuthorizerKind.PASSKEY, self.passkey_verifier)
        self.verifier_says = verify_passkey

    def enroll_passkey(self, authorizer: bytes) -> bytes:
        """The member whose first authorizer is this passkey."""
        self.admin("enroll", [(AuthorizerKind.PASSKEY, authorizer, bytes(32))])
        return self.model.enroll(AuthorizerKind.PASSKEY, authorizer, bytes(32))

    def enroll(self, name: str, kind: int = 1) -> bytes:
        """The member whose first authorizer is the key called `name`."""
        authorizer = address_of(key_of(name))
        self.admin("enroll", [(kind, authorizer, bytes(32))])
        return self.model.enroll(kind, authorizer, bytes(32))

    # Batches

    def submit(self, brand: int, entries: Sequence[Entry | bytes], *, number: int | None = None) -> Reasons:
        """Sends a signed batch to contract and model; returns the refused entries."""
        packed = [entry if isinstance(entry, bytes) else encode_entry(entry) for entry in entries]
        return self.submit_packed(brand, pack_entries(packed), packed, number=number)

    def submit_packed(self, brand: int, data: bytes, expected: Sequence[bytes], *, number: int | None = None) -> Reasons:
        """Sends `data` as it is; `expected` are the entries that it should be read as."""
        number = self.next_number() if number is None else number
        timestamp = self.now
        outcome = self.transact("submitBatch", *self.signed(brand, number, data))
        assert outcome.succeeded, self.reverted(outcome)
        refusals = self.model.apply_batch(brand, number, expected, timestamp)
        self.last_outcome = outcome
        events = self.events(outcome)
        refused = [(each.values["index"], refusal_of(each.values["reason"])) for each in events if each.name == "EntryRefused"]
        assert refused == refusals, "the contract's refusals are the model's"
        root, recorded = entries_root(expected), events[-1].values
        assert recorded["root"] == root, "the contract's root is the model's"
        assert (recorded["entryCount"], recorded["refusedCount"]) == (len(expected), len(refusals))
        assert self.view("batch", brand, number) == batch_record(root, self.model.state.batches[brand, number])
        return refused

    def next_number(self) -> int:
        self.last_number += 1
        return self.last_number

    def signed(
        self,
        brand: int,
        number: int,
        data: bytes,
        *,
        deadline: int = FOREVER,
        key: keys.PrivateKey | None = None,
        domain: Domain | None = None,
    ) -> tuple[tuple[int, int, int], bytes, bytes]:
        """The arguments of submitBatch, signed by the brand's key unless another is given."""
        digest = batch_digest(domain or self.domain, brand, number, keccak(data), deadline)
        return (brand, number, deadline), data, signature(key or brand_key(brand), digest)

    def consented(
        self,
        entry: type[Authorize] | type[Redeem],
        brand: int,
        member: bytes,
        lines: Sequence[Line],
        *,
        key: keys.PrivateKey,
        **other: Any,
    ) -> Authorize | Redeem:
        """An authorize or redeem entry with the member's consent; `other` replaces nonce, deadline, points, reference."""
        points = other.get("points", sum(line.points for line in lines))
        reference, nonce = other.get("reference", keccak(text="order")), other.get("nonce", 0)
        deadline = other.get("deadline", self.now + 3_600)
        digest = consent_digest(self.domain, member, brand, points, reference, nonce, deadline)
        proof = other.get("proof", ConsentProof(1, signature(key, digest)))
        return entry(member, reference, nonce, deadline, points, proof, tuple(lines))

    def reservation_id(self, brand: int, entry: Authorize | Redeem) -> bytes:
        terms = (entry.member, brand, entry.points, entry.reference, entry.nonce, entry.deadline)
        return consent_digest(self.domain, *terms)

    def change_authorizers(
        self, member: bytes, add: tuple[int, bytes], remove: bytes, nonce: int, *, key: keys.PrivateKey, **other: Any
    ) -> Outcome:
        """`key` signs as a key unless `kind` says otherwise; `deadline` may be given too."""
        deadline = other.get("deadline", self.now + 3_600)
        digest = authorizer_change_digest(self.domain, member, *add, remove, nonce, deadline)
        change = (member, *add, remove, nonce, deadline)
        return self.transact("changeAuthorizers", change, other.get("kind", 1), signature(key, digest))

    # Chain

    def transact(self, function: str, *arguments: Any, sender: keys.PrivateKey | None = None) -> Outcome:
        return self.chain.send(self.address, self.abi.call(function, *arguments), sender=sender)

    def view(self, function: str, *arguments: Any) -> Any:
        outcome = self.chain.call(self.address, self.abi.call(function, *arguments))
        assert outcome.succeeded, self.reverted(outcome)
        return self.abi.answer(function, outcome.output)

    def held(self, member: bytes, brand: int, expiry_day: int = 0) -> tuple[int, int]:
        """(held, reserved) points of a lot."""
        held, reserved = self.view("pointsOf", member, lot_id(brand, expiry_day))
        return held, reserved

    def outstanding(self, brand: int) -> int:
        outstanding, _, _ = self.view("brand", brand)
        return int(outstanding)

    def events(self, outcome: Outcome) -> list[Event]:
        return [self.abi.event(topics, data) for address, topics, data in outcome.logs if address == self.address]

    def reverted(self, outcome: Outcome) -> str:
        """The name of the error that a transaction or call reverted with."""
        assert not outcome.succeeded, "nothing reverted"
        assert outcome.output, "out of gas, or a revert without a reason"
        return self.abi.error(outcome.output)[0]


def brand_key(brand: int) -> keys.PrivateKey:
    return key_of(f"brand {brand}")


def address_of(key: keys.PrivateKey) -> bytes:
    return bytes(key.public_key.to_canonical_address())


def member_named(name: str, kind: int = 1) -> bytes:
    """The id of the member whose first authorizer is the key called `name`, enrolled or not."""
    return member_id(COALITION_ID, kind, address_of(key_of(name)), bytes(32))


def signature(key: keys.PrivateKey, digest: bytes) -> bytes:
    made = key.sign_msg_hash(digest)
    return bytes(made.r.to_bytes(32) + made.s.to_bytes(32) + bytes([27 + made.v]))


def recover(digest: bytes, proof: bytes) -> bytes | None:
    """The signer's address, or None for what OpenZeppelin's ECDSA refuses: a high s, a v other than 27 or 28, no key."""
    r, s, v = int.from_bytes(proof[:32]), int.from_bytes(proof[32:64]), proof[64]
    if v not in (27, 28) or s > SECP256K1_ORDER // 2:
        return None
    try:
        signed = keys.Signature(vrs=(v - 27, r, s))
        return bytes(signed.recover_public_key_from_msg_hash(digest).to_canonical_address())
    except (BadSignature, SignatureMalformed):
        return None
