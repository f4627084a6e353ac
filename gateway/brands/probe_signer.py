"""Asks a brand's signer who it is, before anything hangs on it: whether it is there, of which brand, with which key, and knows the token.

What it answers is shown to nobody, since it is a stranger: only which of these it was.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol

from gateway.rounds.signer_port import NotReached, ProbeResult, SignerAddress, SignerProbe
from gateway.values.errors import Unavailable
from gateway.values.ids import Address
from gateway.values.urls import without_secrets

_NO_BATCH = {"number": 0}  # numbers begin with 1: asking for it needs the token and tells nothing


class Asks(Protocol):
    """Status and JSON of a signer's route. Raises Unavailable or NotReached."""

    def ask(self, address: SignerAddress, method: str, path: str, body: Any = None) -> tuple[int, Any]: ...


class SignerProbes:
    """Thread-safe. Of a brand one at a time: a signer that says nothing takes its brand one place, not all."""

    def __init__(self, signers: Asks) -> None:
        self._signers = signers
        self._lock = threading.Lock()
        self._under_way: set[int] = set()

    def probe(self, address: SignerAddress, brand_id: int, keys: frozenset[Address]) -> SignerProbe | None:
        """None while another one is under way."""
        with self._lock:
            if brand_id in self._under_way:
                return None
            self._under_way.add(brand_id)
        try:
            return probe_signer(address, brand_id, keys, signers=self._signers)
        finally:
            with self._lock:
                self._under_way.discard(brand_id)


def probe_signer(address: SignerAddress, brand_id: int, keys: frozenset[Address], *, signers: Asks) -> SignerProbe:
    """`keys`: those that sign the brand's batches, as far as they are known."""
    shown = without_secrets(address.url)
    try:
        status, told = signers.ask(address, "GET", "/healthz")
        name = (told.get("brand_id"), told.get("address")) if status == 200 and isinstance(told, dict) else None
        if name is None or type(name[0]) is not int or not isinstance(name[1], str):
            return SignerProbe(ProbeResult.UNCLEAR, f"what answers at {shown} is no signer: correct signer_url")
        if name[0] != brand_id:
            return SignerProbe(ProbeResult.OTHER_BRAND, f"the signer at {shown} is of another brand: correct signer_url, or its brand_id")
        if name[1].lower() not in map(str, keys):
            needed = (
                "have its owner sign for its key (`splittally brand key`), or give the signer the key that the brand was registered with"
            )
            return SignerProbe(ProbeResult.OTHER_KEY, f"the signer at {shown} signs with a key that is not this brand's: {needed}")
        status, _ = signers.ask(address, "POST", "/signed-batch", _NO_BATCH)
    except NotReached as why:
        return SignerProbe(ProbeResult.NOT_THERE, f"{why}. Start the signer there, or correct signer_url")
    except Unavailable as why:
        return SignerProbe(ProbeResult.UNCLEAR, f"{why}. See that it is the signer, or correct signer_url")
    if status == 401:
        return SignerProbe(ProbeResult.WRONG_TOKEN, f"the signer at {shown} has another token: set signer_token to what stands in its file")
    if status not in (200, 404):
        return SignerProbe(ProbeResult.UNCLEAR, f"the signer at {shown} answers {status}: see its log")
    return SignerProbe(ProbeResult.OK, f"the signer at {shown} is this brand's, has its key and knows the token")
