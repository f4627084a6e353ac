"""Signed raw transactions of members who spend: at a second brand, by key, by passkey, and under a grant to it or to another member."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from gateway.ledger.consents import reservation_id_of
from gateway.ledger.entries import BRAND_GRANT, MEMBER_GRANT, ConsentProof, Redeem
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import Grant, grant_to_brand, grant_to_member, member_act_digest
from gateway.ledger.members import AuthorizerKind, member_id
from gateway.ledger.owner_acts import SetExposure, owner_act_digest
from gateway.ledger.passkeys import Assertion, Passkey, consent_proof
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash, MemberId, Reference
from gateway.values.points import Points
from scripts.benchmarks.artifacts import call
from scripts.benchmarks.issuing import BRAND, FOREVER, Issuer, address_of_key, signature

ACCEPTOR = 2
BATCH_GAS = 200_000
GAS_PER_REDEMPTION = 160_000
GAS_PER_ENROLMENT = 60_000
GAS_PER_ACT = 150_000
ENROLLED_AT_ONCE = 100
AMPLE = 2**40
ORIGIN = "https://wallet.example"
RP_ID = "wallet.example"
SHOWN_AND_VERIFIED = 0x05
A_DAY = 86_400

By = Literal["key", "passkey", "brand_grant", "member_grant"]
WAYS: tuple[By, ...] = ("key", "passkey", "brand_grant", "member_grant")


@dataclass(frozen=True)
class Spender:
    """A member with a key, or with a passkey."""

    member: MemberId
    key: PrivateKey
    passkey: _Authenticator | None = None

    @property
    def authorizer(self) -> tuple[int, bytes]:
        if self.passkey:
            return AuthorizerKind.PASSKEY, self.passkey.authorizer
        return AuthorizerKind.KEY, address_of_key(self.key)


class Redeemer:
    """`count` members of each kind; each one of the first kind has granted to the brand and to the next of them."""

    def __init__(self, issuer: Issuer, count: int) -> None:
        self.issuer = issuer
        self._owner, self._brand_key = (PrivateKey(keccak(f"benchmark acceptor's {name}".encode())) for name in ("owner", "key"))
        self.with_keys = [_spender(issuer.coalition_id, number) for number in range(count)]
        self.with_passkeys = [_spender(issuer.coalition_id, number, _Authenticator(number)) for number in range(count)]
        self._number = self._nonce = 0

    @property
    def members(self) -> list[MemberId]:
        return [each.member for each in (*self.with_keys, *self.with_passkeys)]

    def founding(self) -> list[bytes]:
        """The second brand and what it lets itself be owed, the members, and their grants."""
        exposure = SetExposure(ACCEPTOR, BRAND, 2**96 - 1, 0, FOREVER)
        signed = (exposure.nonce, exposure.deadline, signature(self._owner, owner_act_digest(self._domain(self.issuer.brands), exposure)))
        everybody = [(*each.authorizer, bytes(32)) for each in (*self.with_keys, *self.with_passkeys)]
        parts = [everybody[first : first + ENROLLED_AT_ONCE] for first in range(0, len(everybody), ENROLLED_AT_ONCE)]
        return [
            *self.issuer.registration(ACCEPTOR, self._owner, self._brand_key),
            self.issuer.sign(self.issuer.brands, call("Brands", "setExposure", ACCEPTOR, BRAND, exposure.most, signed), GAS_PER_ACT),
            *(
                self.issuer.sign(self.issuer.members, call("Members", "enroll", part), GAS_PER_ENROLMENT * (1 + len(part)))
                for part in parts
            ),
            *(
                self._grant(giver, to, nonce)
                for giver, taker in zip(self.with_keys, self._takers(), strict=True)
                for nonce, to in enumerate((grant_to_brand(ACCEPTOR), grant_to_member(taker.member)))
            ),
        ]

    def redemptions(self, by: By, count: int) -> list[bytes]:
        """Batches in which every member spends a point once."""
        return [self._batch([self._entry(by, index) for index in range(len(self.with_keys))]) for _ in range(count)]

    def _entry(self, by: By, index: int) -> Redeem:
        self._nonce += 1
        whose = (self.with_passkeys if by == "passkey" else self.with_keys)[index]
        reference, order = (keccak(f"{what} {self._nonce}".encode()) for what in ("reference", "order"))
        deadline = int(time.time()) + A_DAY
        terms = Reference(reference), Hash(order), self._nonce, deadline, Points(1), 1
        lines = (Line(BRAND, self.issuer.expiry_day, Points(1)),)
        blank = Redeem(whose.member, *terms, ConsentProof(AuthorizerKind.KEY, b""), lines)
        if by == "brand_grant":
            return replace(blank, order=Hash(bytes(32)), proof=ConsentProof(BRAND_GRANT, b""))
        if by == "member_grant":
            taker = self._takers()[index]
            named = taker.member + bytes([AuthorizerKind.KEY])
            digest = self._consent(replace(blank, proof=ConsentProof(MEMBER_GRANT, named)))
            return replace(blank, proof=ConsentProof(MEMBER_GRANT, named + signature(taker.key, digest)))
        if whose.passkey:
            return replace(blank, proof=ConsentProof(AuthorizerKind.PASSKEY, whose.passkey.consent(self._consent(blank))))
        return replace(blank, proof=ConsentProof(AuthorizerKind.KEY, signature(whose.key, self._consent(blank))))

    def _consent(self, entry: Redeem) -> bytes:
        return reservation_id_of(self._domain(self.issuer.address), ACCEPTOR, entry)

    def _batch(self, entries: Sequence[Redeem]) -> bytes:
        self._number += 1
        return self.issuer.batch(ACCEPTOR, self._number, self._brand_key, entries, BATCH_GAS + GAS_PER_REDEMPTION * len(entries))

    def _enrolment(self, members: Sequence[tuple[int, bytes, bytes]]) -> bytes:
        return self.issuer.sign(self.issuer.members, call("Members", "enroll", members), GAS_PER_ENROLMENT * (1 + len(members)))

    def _grant(self, giver: Spender, to: Hash, nonce: int) -> bytes:
        grant = Grant(giver.member, to, AMPLE, AMPLE, AMPLE, FOREVER, nonce, FOREVER)
        fields = (giver.member, to, AMPLE, AMPLE, AMPLE, FOREVER, nonce, FOREVER)
        proof = signature(giver.key, member_act_digest(self._domain(self.issuer.members), grant))
        return self.issuer.sign(self.issuer.members, call("Members", "setGrant", fields, AuthorizerKind.KEY, proof), GAS_PER_ACT)

    def _takers(self) -> list[Spender]:
        return [*self.with_keys[1:], self.with_keys[0]]

    def _domain(self, contract: bytes) -> Domain:
        return Domain(self.issuer.chain_id, Address(contract), Hash(self.issuer.coalition_id))


class _Authenticator:
    """A passkey on P-256 and what its browser would say; a number makes the key, always the same one."""

    def __init__(self, number: int) -> None:
        self._key = ec.derive_private_key(1 + int.from_bytes(keccak(f"passkey {number}".encode())[:31]), ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        rp_id_hash = sha256(RP_ID.encode()).digest()
        self._data = rp_id_hash + bytes([SHOWN_AND_VERIFIED]) + bytes(4)
        self.authorizer = Passkey(numbers.x.to_bytes(32), numbers.y.to_bytes(32), rp_id_hash, ORIGIN).authorizer()

    def consent(self, digest: bytes) -> bytes:
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        client_data = f'{{"type":"webauthn.get","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false}}'.encode()
        made = self._key.sign(self._data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return consent_proof(self.authorizer, Assertion(self._data, client_data, made).proof())


def _spender(coalition_id: bytes, number: int, passkey: _Authenticator | None = None) -> Spender:
    key = PrivateKey(keccak(f"benchmark spender {number}".encode()))
    blank = Spender(MemberId(bytes(20)), key, passkey)
    return replace(blank, member=member_id(coalition_id, *blank.authorizer, bytes(32)))
