"""Signed raw transactions of one brand's ledger, in order of nonce: its deployment, then batches of issues.

They depend on the chain id and the coalition id alone, so that any engine can take the very same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

from gateway.ledger.entries import Entry, Issue, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.governance import act_id, approval_digest
from gateway.ledger.issue_parts import AwardBasis
from gateway.ledger.lots import expiry_day_for, lot_id
from gateway.ledger.signing import Domain, batch_digest
from gateway.values.ids import Address, Hash, MemberId, Reference
from gateway.values.points import Points
from node.chain import rlp
from scripts.benchmarks.artifacts import call, creation

CHAIN_ID = 20_262
BRAND = 1
POINTS = Points(25)
BASIS = AwardBasis(1, 1, 1, Hash(keccak(b"decision")))
FOREVER = 2**40 - 1
LOT_MONTHS = 24
GAS_PER_TRANSACTION = 2**24
GAS_PER_BATCH = 150_000
GAS_PER_ENTRY = {"new": 27_100, "existing": 9_900}
MAX_FEE = 1_000
MEMBER_DELAY_SECONDS = 2 * 86_400
OPERATOR = PrivateKey(keccak(b"benchmark operator"))
_GUARDIAN, _OWNER, _APPROVER = (PrivateKey(keccak(f"benchmark {name}".encode())) for name in ("guardian", "owner", "approver"))

Members = Literal["new", "existing"]


def member(number: int) -> bytes:
    return bytes(keccak(f"member {number}".encode())[:20])


class Issuer:
    def __init__(self, coalition_id: bytes, seconds: float, *, chain_id: int = CHAIN_ID, max_fee: int = MAX_FEE) -> None:
        self.coalition_id, self.chain_id, self._max_fee = coalition_id, chain_id, max_fee
        self._brand_key = PrivateKey(keccak(b"benchmark brand"))
        self._nonce = self._number = 0
        self.operator = bytes(OPERATOR.public_key.to_canonical_address())
        deployed = (created(self.operator, nonce) for nonce in range(6))
        self._governance, self._verifier, self.brands, self.members, self._settlement, self.address = deployed
        self.expiry_day = expiry_day_for(int(seconds), 0, LOT_MONTHS)
        self.lot = lot_id(BRAND, self.expiry_day)
        self._domain = Domain(chain_id, Address(self.address), Hash(coalition_id))

    def deployment(self) -> list[bytes]:
        governance = self._governance
        founding = (True, 0, self.operator, address_of_key(_GUARDIAN), [address_of_key(_APPROVER)], 1)
        return [
            self.sign(b"", creation("Governance", self.coalition_id, founding), 10_000_000),
            self.sign(b"", creation("PasskeyVerifier"), 10_000_000),
            self.sign(b"", creation("Brands", governance, 0), 10_000_000),
            self.sign(b"", creation("Members", governance, self._verifier, self.address, MEMBER_DELAY_SECONDS), 10_000_000),
            self.sign(b"", creation("Settlement", governance, self.brands, self.address), 10_000_000),
            self.sign(b"", creation("PointsLedger", governance, self.brands, self.members, self._settlement, b"EUR"), 10_000_000),
            *self.registration(BRAND, _OWNER, self._brand_key),
        ]

    def registration(self, brand: int, owner: PrivateKey, key: PrivateKey) -> list[bytes]:
        """A brand's, proposed and then executed."""
        terms, window = (1, 100, 1, 100, 0, 90, 30), (0, FOREVER, False)
        data = call("Brands", "registerBrand", (brand, address_of_key(owner), 2**64, terms, address_of_key(key), window))
        act = (self.brands, 0, data, bytes(32), bytes(32))
        digest = approval_digest(
            Domain(self.chain_id, Address(self._governance), Hash(self.coalition_id)),
            act_id(Address(self.brands), data, Hash(bytes(32))),
            FOREVER,
            FOREVER,
        )
        approval = (FOREVER, FOREVER, signature(_APPROVER, digest))
        return [
            self.sign(self._governance, call("Governance", "schedule", *act, 0), 400_000),
            self.sign(self._governance, call("Governance", "executeApproved", *act, [approval]), 800_000),
        ]

    def issues(self, members: Sequence[bytes], size: int, kind: Members) -> list[bytes]:
        """Batches of `size`, of which each is split so that no transaction exceeds the gas a chain allows."""
        most = min(size, (GAS_PER_TRANSACTION - GAS_PER_BATCH) // GAS_PER_ENTRY[kind])
        batches = [members[first : first + size] for first in range(0, len(members), size)]
        parts = [batch[first : first + most] for batch in batches for first in range(0, len(batch), most)]
        return [self._issues(part, GAS_PER_BATCH + GAS_PER_ENTRY[kind] * len(part)) for part in parts]

    def _issues(self, members: Sequence[bytes], gas: int) -> bytes:
        self._number += 1
        entries = [Issue(MemberId(each), self.expiry_day, POINTS, BASIS, Reference(keccak(each))) for each in members]
        return self.batch(BRAND, self._number, self._brand_key, entries, gas)

    def batch(self, brand: int, number: int, key: PrivateKey, entries: Sequence[Entry], gas: int) -> bytes:
        data = pack_entries([encode_entry(entry) for entry in entries])
        signed_by_brand = signature(key, batch_digest(self._domain, brand, number, keccak(data), FOREVER))
        return self.sign(self.address, call("PointsLedger", "submitBatch", (brand, number, FOREVER), data, signed_by_brand), gas)

    def sign(self, to: bytes, data: bytes, gas: int) -> bytes:
        """The operator's next transaction."""
        self._nonce += 1
        return signed(self.chain_id, self._nonce - 1, to, data, gas, self._max_fee)


def address_of_key(key: PrivateKey) -> bytes:
    return bytes(key.public_key.to_canonical_address())


def signature(key: PrivateKey, digest: bytes) -> bytes:
    made = key.sign_msg_hash(digest)
    return bytes(made.r.to_bytes(32) + made.s.to_bytes(32) + bytes([27 + made.v]))


def signed(chain_id: int, nonce: int, to: bytes, data: bytes, gas: int, max_fee: int) -> bytes:
    """By the operator."""
    fields = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "to": to,
        "data": data,
        "gas": gas,
        "maxFeePerGas": max_fee,
        "maxPriorityFeePerGas": 0,
    }
    return bytes(Account.sign_transaction(fields, OPERATOR.to_bytes()).raw_transaction)


def created(sender: bytes, nonce: int) -> bytes:
    return bytes(keccak(rlp.encode([sender, nonce]))[12:])
