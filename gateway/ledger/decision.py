"""The decision behind an award: told in full to whom it concerns, on the ledger as a salted hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from eth_hash.auto import keccak

from gateway.values.ids import Hash
from gateway.values.json_text import canonical_json

SALT_LENGTH = 32
BASE_RULE = 0
"""The number of a brand's base rule, which stands in no programme."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`text` is canonical JSON; the salt keeps it from being guessed from its hash."""

    salt: bytes
    text: str

    @classmethod
    def of(cls, salt: bytes, facts: Mapping[str, object]) -> Self:
        return cls(salt, canonical_json(facts))

    @property
    def hash(self) -> Hash:
        return Hash(keccak(self.salt + self.text.encode()))
