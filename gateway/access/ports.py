"""What keys, repeated requests and the record of privileged acts need from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.access.api_key import ApiKey
from gateway.values.ids import Hash


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """An earlier request under an idempotency key, and the one resource that came of it."""

    content_hash: Hash
    resource_kind: str
    resource_id: str


class ApiKeys(Protocol):
    def find(self, key_id: str) -> ApiKey | None: ...
    def add(self, key: ApiKey) -> None: ...
    def revoke(self, key_id: str, at: int) -> None: ...


class Requests(Protocol):
    def find(self, principal: str, idempotency_key: str) -> StoredRequest | None: ...
    def add(self, principal: str, idempotency_key: str, request: StoredRequest, at: int) -> None: ...
