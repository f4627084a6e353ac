"""Asks a brand's signer who it is, before anything hangs on it: whether it is there, of which brand, with which key, and knows the token.

What it answers is shown to nobody, since a URL may point anywhere: only which of these it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from gateway.rounds.signer_port import NotReached, ProbeResult, SignerAddress, SignerProbe
from gateway.values.errors import Unavailable
from gateway.values.ids import Address
from gateway.values.urls import without_secrets

Probe = Callable[[SignerAddress, int, frozenset[Address]], SignerProbe]
"""Of the signer at an address, which should be that of this brand with one of these keys."""
_NO_BATCH = {"number": 0}  # numbers begin with 1: asking for it needs the token and tells nothing


class Asks(Protocol):
    """Status and JSON of a signer's route. Raises Unavailable or NotReached."""

    def ask(self, address: SignerAddress, method: str, path: str, body: Any = None) -> tuple[int, Any]: ...


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
    except NotReached:
        return SignerProbe(ProbeResult.NOT_THERE, f"nobody listens at {shown}: start the signer there, or correct signer_url")
    except Unavailable:
        return SignerProbe(ProbeResult.UNCLEAR, f"what listens at {shown} answers nothing that can be read: correct signer_url")
    if status == 401:
        return SignerProbe(ProbeResult.WRONG_TOKEN, f"the signer at {shown} has another token: set signer_token to what stands in its file")
    if status not in (200, 404):
        return SignerProbe(ProbeResult.UNCLEAR, f"the signer at {shown} answers {status}: see its log")
    return SignerProbe(ProbeResult.OK, f"the signer at {shown} is this brand's, has its key and knows the token")
