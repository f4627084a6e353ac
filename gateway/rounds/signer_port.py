"""What the gateway asks of a brand's signer: the brand's own process, which compares entries with the brand's sales before it signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class SignerAddress:
    """Where a brand's signer is, and the token it knows the gateway by."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A batch to be signed. `details` tells of each entry what its hashes hide: the brand's own ids, points, member, sale."""

    brand_id: int
    number: int
    deadline: int
    entries: bytes
    details: Sequence[Mapping[str, Any]]


class NotReached(Exception):
    """Nobody listened where the signer should be: it has not seen the request and cannot have signed."""


class NumberTaken(Exception):
    """The signer has signed other entries under this batch number; the batch needs another number."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The brand's signature over the batch, 65 bytes."""

    signature: bytes


@dataclass(frozen=True, slots=True)
class SignerRefusal:
    """Entries that the signer will not sign for, with its reasons; nothing was signed. `signed_under`: the number of the batch in which
    it has signed one of them before, where it says so."""

    reasons: Mapping[int, str]
    signed_under: Mapping[int, int] = field(default_factory=dict)


class ProbeResult(StrEnum):
    """How a brand's signer was found. `unclear`: something answers there, but not as a signer does."""

    OK = "ok"
    NOT_THERE = "not_there"
    UNCLEAR = "unclear"
    OTHER_BRAND = "other_brand"
    OTHER_KEY = "other_key"
    WRONG_TOKEN = "wrong_token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class SignerProbe:
    """`said` tells in words what was found and what to do."""

    result: ProbeResult
    said: str


class SignerClient(Protocol):
    """Raises Unavailable when the signer does not answer, NotReached where it was not even asked, NumberTaken when the number was used for
    something else.

    Asked again for the same batch it gives the same answer. What was signed once is not signed under another number.
    """

    def sign(self, address: SignerAddress, request: SigningRequest) -> Signed | SignerRefusal: ...
    def signed(self, address: SignerAddress, number: int) -> bytes:
        """The entries that it says it signed under a number."""

    def close(self) -> None: ...
