"""What a brand publishes of itself, signed by its owner's key: its batch keys, its agent's address, and the API keys it knows of.

Canonical JSON: keys and lists sorted, no space. Whoever holds another key in the brand's name is not named in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from gateway.ledger.anchors import Anchor, AnchorKind, brand_subject
from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash
from gateway.values.ids import Address, Hash

_FIELDS: Fields = [
    {"name": "brand", "type": "uint32"},
    {"name": "number", "type": "uint64"},
    {"name": "document", "type": "bytes32"},
]
_TYPE = type_hash("BrandDocument", _FIELDS)


@dataclass(frozen=True, slots=True)
class BrandDocument:
    """`number` counts from 1 within the brand; the highest one holds."""

    brand_id: int
    number: int
    batch_keys: frozenset[Address]
    agent_address: Address
    api_keys: frozenset[str]

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> BrandDocument:
        """Raises ValueError, KeyError or TypeError for what is no document."""
        keys, api_keys = frozenset(map(Address.parse, told["batch_keys"])), frozenset(map(str, told["api_keys"]))
        return cls(int(told["brand_id"]), int(told["number"]), keys, Address.parse(told["agent_address"]), api_keys)

    def text(self) -> str:
        """To the byte what is signed."""
        told = {
            "agent_address": str(self.agent_address),
            "api_keys": sorted(self.api_keys),
            "batch_keys": sorted(map(str, self.batch_keys)),
            "brand_id": self.brand_id,
            "number": self.number,
        }
        return json.dumps(told, separators=(",", ":"), sort_keys=True)

    def anchor(self, number: int, previous: Hash) -> Anchor:
        """In the owner's own sequence for the brand, whose numbers go with the owner: `count` is the document's own number."""
        root = Hash(keccak(self.text().encode()))
        return Anchor(AnchorKind.BRAND_DOCUMENT, brand_subject(self.brand_id), number, previous, root, self.number)

    def digest(self, domain: Domain) -> bytes:
        """What the owner signs; `domain` is that of the brands' register."""
        words = self.brand_id.to_bytes(32) + self.number.to_bytes(32) + keccak(self.text().encode())
        return struct_digest(domain, keccak(_TYPE + words))
