"""API keys: who may call. A key is `<key id>.<secret>`; only the secret's SHA-256 is kept, compared in constant time."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum

from gateway.values.ids import Hash, sha256


class Role(StrEnum):
    OPERATOR = "operator"
    BRAND = "brand"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. `brand_id` is empty for the operator and the auditor."""

    key_id: str
    key_hash: Hash
    role: Role
    brand_id: int | None
    label: str
    created_at: int
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: one principal keeps its references whatever key it uses."""

    role: Role
    brand_id: int | None
    key_id: str

    @property
    def principal(self) -> str:
        return f"brand:{self.brand_id}" if self.role is Role.BRAND else self.role.value

    def may_read_brand(self, brand_id: int | None) -> bool:
        """Operator and auditor read everything, a brand its own."""
        return self.role is not Role.BRAND or self.brand_id == brand_id


def secret_hash(secret: str) -> Hash:
    return sha256(secret.encode())


def split_token(token: str) -> tuple[str, str]:
    """(key id, secret) of what a caller sent."""
    key_id, _, secret = token.partition(".")
    return key_id, secret


def matches(key: ApiKey, secret: str) -> bool:
    """True for a key in use whose secret this is."""
    return hmac.compare_digest(key.key_hash, secret_hash(secret)) and key.revoked_at is None
