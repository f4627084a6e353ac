"""Revoke an API key: it opens nothing from now on. The row stays."""

from __future__ import annotations

from gateway.access.api_key import ApiKey
from gateway.access.ports import ApiKeys
from gateway.values.errors import NotFound


def revoke_api_key(key_id: str, brand_id: int | None, *, api_keys: ApiKeys, now: int) -> ApiKey:
    """The key as it was; revoking twice changes nothing."""
    key = api_keys.find(key_id)
    if key is None or key.brand_id != brand_id:
        raise NotFound(f"there is no API key {key_id}")
    if key.revoked_at is None:
        api_keys.revoke(key_id, now)
    return key
