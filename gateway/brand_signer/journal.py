"""The durable record of what was signed: a line is on disk before its signature leaves the process.

The first line says for which ledger and brand; one process at a time writes. A torn last line was never answered and is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.brand_signer.signed_index import Reached, SignedIndex
from gateway.brand_signer.signed_state import SignedState
from gateway.ledger.signing import Domain
from gateway.values.hex import bare_to_bytes

_LINES_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """A batch as signed; signing it again with a later deadline adds another of the same number and entries."""

    number: int
    deadline: int
    entries: bytes
    signature: bytes


class WrongJournal(Exception):
    """The journal is another ledger's or brand's, in use by another process, or damaged before its last line."""


def forget_index(path: Path) -> None:
    """For a journal that takes another's place; the next to open it makes a new one."""
    for ending in ("", "-wal", "-shm"):
        index = _index_of(path)
        index.with_name(index.name + ending).unlink(missing_ok=True)


def _index_of(path: Path) -> Path:
    return path.with_name(path.name + ".index")


class Journal:
    """Appends to one file, locked for this process. What stands in it is found by its index, which it keeps up with it."""

    def __init__(self, path: Path, domain: Domain, brand_id: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b", buffering=0)
        self._index: SignedIndex | None = None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._check_header(_header(domain, brand_id))
            self._index = SignedIndex(_index_of(path), domain, brand_id)
            self._check_index()
            self._catch_up()
        except BlockingIOError:
            self.close()
            raise WrongJournal(f"{path} is in use by another signer") from None
        except sqlite3.Error as wrong:
            self.close()
            raise WrongJournal(f"the index beside {path} cannot be written ({wrong}): make room on its disk") from wrong
        except BaseException:
            self.close()
            raise

    @property
    def state(self) -> SignedState:
        """What was signed so far."""
        return self._indexed.state

    def signed(self, number: int) -> SignedBatch | None:
        """What was last signed under a number."""
        self._catch_up()
        place = self._indexed.place_of(number)
        if place is None:
            return None
        batch = _batch(os.pread(self._file.fileno(), place[1], place[0]), self._path)
        assert batch.number == number
        return batch

    @property
    def last(self) -> SignedBatch | None:
        """What was signed last."""
        number = self._indexed.last_number
        return None if number is None else self.signed(number)

    def append(self, batch: SignedBatch) -> None:
        """Returns when the line is on disk."""
        self._catch_up()
        self._write(
            {
                "number": batch.number,
                "deadline": batch.deadline,
                "entries": batch.entries.hex(),
                "signature": batch.signature.hex(),
            }
        )
        self._catch_up()

    def close(self) -> None:
        if self._index is not None:
            self._index.close()
        self._file.close()

    @property
    def _indexed(self) -> SignedIndex:
        assert self._index is not None
        return self._index

    def _check_header(self, due: dict[str, Any]) -> None:
        with self._path.open("rb") as stream:
            header = stream.readline()
        if not header.endswith(b"\n"):
            self._file.truncate(0)
            self._write(due)
            return
        try:
            found = json.loads(header)
        except ValueError as wrong:
            raise WrongJournal(f"{self._path} is damaged: {wrong}") from wrong
        if found != due:
            raise WrongJournal(f"{self._path} is the journal of another ledger or brand; start a new one under another name")

    def _check_index(self) -> None:
        """An index of lines that are gone says that signatures are out which this journal does not know."""
        reached = self._indexed.reached
        if reached.end > self._size:
            raise WrongJournal(f"{self._path} has lost lines that were signed: put it back from a newer backup")
        if reached != self._reached_at(reached.end):
            self._indexed.clear()

    def _reached_at(self, end: int) -> Reached:
        """As the file has it: the line that ends there."""
        start, piece = end, b""
        while start > 0 and b"\n" not in piece[:-1]:
            length = min(start, 1024 * 1024)
            start -= length
            piece = os.pread(self._file.fileno(), length, start) + piece
        return Reached(end, sha256(piece[piece.rfind(b"\n", 0, -1) + 1 :]).digest() if end else b"")

    def _catch_up(self) -> None:
        """Takes into the index what stands in the file, and not in it yet."""
        reached = self._indexed.reached
        if reached.end == self._size:
            return
        with self._path.open("rb") as stream:
            stream.seek(reached.end)
            while lines := list(islice(stream, _LINES_AT_ONCE)):
                reached = self._note(lines, reached)

    def _note(self, lines: list[bytes], reached: Reached) -> Reached:
        with self._indexed.noting():
            for line in lines:
                if not line.endswith(b"\n"):
                    self._file.truncate(reached.end)
                    break
                if reached.end:
                    batch = _batch(line, self._path)
                    try:
                        self._indexed.note_batch(batch.number, batch.entries, reached.end, len(line))
                    except (KeyError, ValueError) as wrong:
                        raise WrongJournal(f"{self._path} is damaged: {wrong!r}") from wrong
                reached = Reached(reached.end + len(line), sha256(line).digest())
            self._indexed.note_reached(reached)
        return reached

    @property
    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def _write(self, value: dict[str, Any]) -> None:
        """What does not get to the disk whole leaves nothing behind."""
        size, left = self._size, memoryview(json.dumps(value, separators=(",", ":")).encode() + b"\n")
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(size)
            raise


def _batch(line: bytes, path: Path) -> SignedBatch:
    try:
        value = json.loads(line)
        entries, signature = bare_to_bytes(value["entries"]), bare_to_bytes(value["signature"])
        return SignedBatch(value["number"], value["deadline"], entries, signature)
    except (KeyError, TypeError, ValueError) as wrong:
        raise WrongJournal(f"{path} is damaged: {wrong}") from wrong


def _header(domain: Domain, brand_id: int) -> dict[str, Any]:
    return {
        "coalition_id": domain.coalition_id.hex(),
        "chain_id": domain.chain_id,
        "points_address": domain.verifying_contract.hex(),
        "brand_id": brand_id,
    }
