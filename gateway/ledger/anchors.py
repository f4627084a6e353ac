"""Anchored roots: what a signer signs, which number means which kind, and where the contract keeps a root."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

from eth_hash.auto import keccak

from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash, typed_data
from gateway.values.hex import hex_text
from gateway.values.ids import Address, Hash

ANCHORS_SLOT = 0  # the contract's one variable
_WORDS_EACH = 2


class AnchorKind(IntEnum):
    """An open list: the contract takes any number."""

    CHECKPOINT = 5
    LIABILITY = 9
    BRAND_DOCUMENT = 12


@dataclass(frozen=True, slots=True)
class Anchor:
    """`number` counts from 0 within signer, kind and subject; `previous` is the root before, zero for the first."""

    kind: int
    subject: Hash
    number: int
    previous: Hash
    root: Hash
    count: int  # of leaves under the root

    FIELDS: ClassVar[Fields] = [
        {"name": "kind", "type": "uint16"},
        {"name": "subject", "type": "bytes32"},
        {"name": "number", "type": "uint64"},
        {"name": "previous", "type": "bytes32"},
        {"name": "root", "type": "bytes32"},
        {"name": "count", "type": "uint64"},
    ]

    def called(self, signer: Address, signature: bytes) -> tuple[Any, ...]:
        """As the contract takes it."""
        return signer, self.kind, self.subject, self.number, self.previous, self.root, self.count, signature


def anchor_digest(domain: Domain, anchor: Anchor) -> bytes:
    """What the signer signs; `domain` is the anchors' own."""
    words = (
        anchor.kind.to_bytes(32) + anchor.subject + anchor.number.to_bytes(32) + anchor.previous + anchor.root + anchor.count.to_bytes(32)
    )
    return struct_digest(domain, keccak(type_hash("Anchor", Anchor.FIELDS) + words))


def anchor_typed_data(domain: Domain, anchor: Anchor) -> dict[str, Any]:
    """The anchor as the JSON that wallets sign (eth_signTypedData_v4)."""
    message = {
        "kind": anchor.kind,
        "subject": hex_text(anchor.subject),
        "number": anchor.number,
        "previous": hex_text(anchor.previous),
        "root": hex_text(anchor.root),
        "count": anchor.count,
    }
    return typed_data(domain, "Anchor", Anchor.FIELDS, message)


def brand_subject(brand: int) -> Hash:
    """The subject of what a brand anchors about itself."""
    return Hash(brand.to_bytes(32))


def anchor_slots(signer: Address, kind: int, subject: Hash, number: int) -> tuple[int, int, int]:
    """Where the sequence's length, the numbered root, and its count and time are kept."""
    of_signer = keccak(signer.rjust(32, b"\0") + ANCHORS_SLOT.to_bytes(32))
    of_kind = keccak(kind.to_bytes(32) + of_signer)
    length = keccak(subject + of_kind)
    root = (int.from_bytes(keccak(length)) + _WORDS_EACH * number) % 2**256
    return int.from_bytes(length), root, (root + 1) % 2**256
