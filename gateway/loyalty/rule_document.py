"""A version of a brand's rule as its publisher signs it: canonical JSON, and an EIP-712 digest in the ledger's domain.

Canonical JSON: keys sorted, no space. The publisher's key is the brand's; neither the gateway nor the brand's agent ever holds it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak

from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain, Fields, struct_digest, type_hash
from gateway.loyalty.rule import EarningRule, check_rule
from gateway.values.errors import Invalid
from gateway.values.ids import Address, Hash
from gateway.values.json_text import canonical_json

_FIELDS: Fields = [
    {"name": "brand", "type": "uint32"},
    {"name": "version", "type": "uint64"},
    {"name": "document", "type": "bytes32"},
    {"name": "validFrom", "type": "uint40"},
]
_TYPE = type_hash("RuleVersion", _FIELDS)
_LONGEST = 400
_LARGEST = {"brand_id": 2**31 - 1, "version": 2**53 - 1, "points": 2**53 - 1, "per_minor": 2**53 - 1, "valid_from": 2**40 - 1}


@dataclass(frozen=True, slots=True)
class RuleDocument:
    """`valid_from` (Unix seconds) is the soonest that the version may be in force; 0: as soon as the brand's agent has confirmed it."""

    brand_id: int
    version: int
    points: int
    per_minor: int
    valid_from: int

    @classmethod
    def of(cls, brand_id: int, rule: EarningRule) -> RuleDocument:
        return cls(brand_id, rule.version, rule.points, rule.per_minor, rule.valid_from)

    @classmethod
    def parse(cls, text: str) -> RuleDocument:
        """Raises Invalid for what is not, to the byte, the document of a rule."""
        try:
            told: Any = json.loads(text[:_LONGEST])
            found = cls(**told)
            is_right = all(type(value) is int and 0 <= value <= _LARGEST[name] for name, value in told.items())
        except (ValueError, TypeError, RecursionError):
            is_right = False
        if not is_right or found.text() != text or not found.version:
            raise Invalid("this is no document of a rule: canonical JSON of brand_id, per_minor, points, valid_from and version is due")
        check_rule(found.points, found.per_minor)
        return found

    def text(self) -> str:
        """To the byte what is signed."""
        told = {name: getattr(self, name) for name in _LARGEST}
        return canonical_json(told)

    def rule(self, in_force_from: int | None = None) -> EarningRule:
        return EarningRule(self.version, self.points, self.per_minor, self.valid_from, in_force_from)

    @property
    def hash(self) -> Hash:
        return Hash(keccak(self.text().encode()))

    def digest(self, domain: Domain) -> bytes:
        """What the publisher signs; `domain` is the points ledger's, which a brand's own programs know."""
        words = self.brand_id.to_bytes(32) + self.version.to_bytes(32) + self.hash + self.valid_from.to_bytes(32)
        return struct_digest(domain, keccak(_TYPE + words))

    def is_signed_by(self, publisher: Address, signature: bytes, domain: Domain) -> bool:
        return recover_address(self.digest(domain), signature) == publisher
