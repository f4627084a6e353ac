"""The durable record of what was signed: a line is on disk before its signature leaves the process.

The first line says for which ledger and brand; one process at a time writes. A torn last line was never answered and is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.ledger.signing import Domain
from gateway.values.hex import bare_to_bytes


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """A batch as signed; signing it again with a later deadline adds another of the same number and entries."""

    number: int
    deadline: int
    entries: bytes
    signature: bytes


class WrongJournal(Exception):
    """The journal is another ledger's or brand's, in use by another process, or damaged before its last line."""


class Journal:
    """Appends to one file, locked for this process."""

    def __init__(self, path: Path, domain: Domain, brand_id: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b")
        self._header = _header(domain, brand_id)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._past = list(self._load())
        except BlockingIOError:
            self._file.close()
            raise WrongJournal(f"{path} is in use by another signer") from None
        except WrongJournal:
            self._file.close()
            raise

    @property
    def past(self) -> list[SignedBatch]:
        """What stood in the journal when it was opened, in the order of signing."""
        return self._past

    def append(self, batch: SignedBatch) -> None:
        """Returns when the line is on disk."""
        self._write(
            {
                "number": batch.number,
                "deadline": batch.deadline,
                "entries": batch.entries.hex(),
                "signature": batch.signature.hex(),
            }
        )

    def close(self) -> None:
        self._file.close()

    def _load(self) -> Iterator[SignedBatch]:
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        self._file.truncate(whole)
        if not whole:
            self._write(self._header)
            return
        header, *lines = content[:whole].splitlines()
        try:
            if json.loads(header) != self._header:
                raise WrongJournal(f"{self._path} is the journal of another ledger or brand; start a new one under another name")
            for line in lines:
                value = json.loads(line)
                entries, signature = bare_to_bytes(value["entries"]), bare_to_bytes(value["signature"])
                yield SignedBatch(value["number"], value["deadline"], entries, signature)
        except (KeyError, TypeError, ValueError) as wrong:
            raise WrongJournal(f"{self._path} is damaged: {wrong}") from wrong

    def _write(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _header(domain: Domain, brand_id: int) -> dict[str, Any]:
    return {
        "coalition_id": domain.coalition_id.hex(),
        "chain_id": domain.chain_id,
        "points_address": domain.verifying_contract.hex(),
        "brand_id": brand_id,
    }
