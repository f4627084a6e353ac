"""Signs a batch if it is what it says, the brand's books support every entry, and its number was never signed with other entries."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from eth_hash.auto import keccak

from gateway.brand_signer.books import Books, Detail
from gateway.brand_signer.checks import RefusedEntry, check_entries
from gateway.brand_signer.journal import Journal, SignedBatch
from gateway.brand_signer.key import Key
from gateway.brand_signer.signed_state import SignedState
from gateway.ledger.framing import unpack_entries
from gateway.ledger.signing import Domain, batch_digest
from gateway.values.ids import Address


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What the gateway asks to be signed; `details` tell for each entry which of the brand's ids stand behind it."""

    brand_id: int
    number: int
    deadline: int
    entries: bytes
    details: tuple[Detail, ...]


class InconsistentBatch(Exception):
    """The request contradicts itself or is for another brand. `code`: wrong_brand, wrong_details."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NumberUsed(Exception):
    """This number was signed with other entries."""


class EntriesRefused(Exception):
    """Some entries are not supported by the brand's books; nothing was signed."""

    def __init__(self, refused: list[RefusedEntry]) -> None:
        super().__init__(f"{len(refused)} entries refused")
        self.refused = refused


class BatchSigner:
    """The brand's key with its memory; one batch at a time."""

    def __init__(self, key: Key, domain: Domain, brand_id: int, books: Books, journal: Journal) -> None:
        self._key = key
        self._domain = domain
        self._brand_id = brand_id
        self._books = books
        self._journal = journal
        self._lock = threading.Lock()

    @property
    def address(self) -> Address:
        return self._key.address

    def sign(self, request: BatchRequest) -> bytes:
        """The 65-byte signature.

        The same entries under the same number are signed again, also with another deadline: the number makes them happen once.
        """
        self._check_consistent(request)
        digest = batch_digest(self._domain, request.brand_id, request.number, keccak(request.entries), request.deadline)
        with self._lock:
            known = self._journal.signed(request.number)
            if known is None:
                self._check_supported(request)
            elif known.entries != request.entries:
                raise NumberUsed(f"batch {request.number} was signed with other entries")
            elif known.deadline == request.deadline:
                return known.signature
            signature = self._key.sign(digest)
            self._journal.append(SignedBatch(request.number, request.deadline, request.entries, signature))
            return signature

    @contextmanager
    def at_rest(self) -> Iterator[SignedState]:
        """What was signed so far; nothing is signed meanwhile."""
        with self._lock:
            yield self._journal.state

    def signed(self, number: int) -> SignedBatch | None:
        """What was last signed under a number."""
        with self._lock:
            return self._journal.signed(number)

    def _check_consistent(self, request: BatchRequest) -> None:
        packed = unpack_entries(request.entries)
        if request.brand_id != self._brand_id:
            raise InconsistentBatch("wrong_brand", f"this is the signer of brand {self._brand_id}, not {request.brand_id}")
        if not packed or len(packed) != len(request.details):
            raise InconsistentBatch("wrong_details", f"{len(packed)} entries with {len(request.details)} details")

    def _check_supported(self, request: BatchRequest) -> None:
        self._books.register.refresh()
        refused = check_entries(request.number, unpack_entries(request.entries), request.details, self._books, self._journal.state)
        if refused:
            raise EntriesRefused(refused)
