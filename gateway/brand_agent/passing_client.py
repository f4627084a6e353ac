"""The client by which redemptions are passed on while a till waits."""

from __future__ import annotations

import ssl

import httpx

_CONNECT_SECONDS = 2


def passing_client(url: str, authorities: ssl.SSLContext | None) -> httpx.AsyncClient:
    """For what tills wait for; whoever asks bounds the time of the whole."""
    timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS)
    return httpx.AsyncClient(
        base_url=url, timeout=timeout, trust_env=False, verify=authorities or True, limits=httpx.Limits(max_connections=128)
    )
