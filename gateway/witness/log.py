"""What a witness has signed, a line each: on disk before a checkpoint leaves the process. Every later head descends from the last line.

The first line says for which chain and witness; one process at a time writes. A torn last line was never shown and is cut off.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.ledger.checkpoints import Checkpoint, check_signed
from gateway.ledger.seals import Handover, Sealers
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Address, Hash


class WrongLog(Exception):
    """The log is another chain's or witness's, in use by another process, or damaged before its last line."""


@dataclass(frozen=True, slots=True)
class LoggedCheckpoint:
    """A checkpoint, and who sealed up to its block."""

    checkpoint: Checkpoint
    sealers: Sealers


class WitnessLog:
    """Appends to one file, locked for this process. `last` is what was signed last."""

    def __init__(self, path: Path, genesis_hash: Hash, witness: Address) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._genesis_hash, self._witness = path, genesis_hash, witness
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.last = self._load()
        except BlockingIOError:
            self._file.close()
            raise WrongLog(f"{path} is in use by another witness: end that one first") from None
        except WrongLog:
            self._file.close()
            raise

    def append(self, signed: LoggedCheckpoint) -> None:
        """Returns when the line is on disk."""
        self._write(_line(signed))
        self.last = signed

    def close(self) -> None:
        self._file.close()

    def _load(self) -> LoggedCheckpoint | None:
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        self._file.truncate(whole)
        header = {"genesis_hash": str(self._genesis_hash), "witness": str(self._witness)}
        if not whole:
            self._write(header)
            return None
        first, *lines = content[:whole].splitlines()
        try:
            if json.loads(first) != header:
                raise WrongLog(f"{self._path} is the log of another chain or witness: start a new one under another name")
            signed = [self._read(json.loads(line)) for line in lines]
        except (KeyError, TypeError, ValueError) as wrong:
            raise WrongLog(f"{self._path} is damaged ({wrong}): put it back from a backup") from wrong
        return signed[-1] if signed else None

    def _read(self, line: dict[str, Any]) -> LoggedCheckpoint:
        checkpoint = Checkpoint(
            self._genesis_hash,
            line["number"],
            Hash.parse(line["block_hash"]),
            line["block_time"],
            line["witnessed_at"],
            self._witness,
            to_bytes(line["signature"]),
        )
        check_signed(checkpoint)
        first, *handed = line["sealers"]
        handovers = tuple(Handover(number, Address.parse(sealer), to_bytes(signature)) for number, sealer, signature in handed)
        return LoggedCheckpoint(checkpoint, Sealers(Address.parse(first[1]), handovers))

    def _write(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _line(signed: LoggedCheckpoint) -> dict[str, Any]:
    checkpoint, sealers = signed.checkpoint, signed.sealers
    return {
        "number": checkpoint.number,
        "block_hash": str(checkpoint.block_hash),
        "block_time": checkpoint.block_time,
        "witnessed_at": checkpoint.witnessed_at,
        "signature": hex_text(checkpoint.signature),
        "sealers": [
            [0, str(sealers.first), None],
            *([each.number, str(each.sealer), hex_text(each.signature)] for each in sealers.handovers),
        ],
    }
