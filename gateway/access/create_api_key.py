"""Create an API key. The secret is shown once; the gateway keeps its SHA-256."""

from __future__ import annotations

from gateway.access.api_key import ApiKey, Role, secret_hash
from gateway.access.ports import ApiKeys
from gateway.values.errors import Invalid


def create_api_key(
    key_id: str, secret: str, role: Role, brand_id: int | None, label: str, *, api_keys: ApiKeys, now: int
) -> tuple[ApiKey, str]:
    """(the key as kept, the token that its holder sends)."""
    if (role is Role.BRAND) != (brand_id is not None):
        raise Invalid("a brand's key names its brand, other keys none", field="brand_id")
    key = ApiKey(key_id, secret_hash(secret), role, brand_id, label, now)
    api_keys.add(key)
    return key, f"{key_id}.{secret}"
