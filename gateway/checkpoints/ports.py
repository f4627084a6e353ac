"""What recording a checkpoint needs from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from typing import Protocol

from gateway.ledger.checkpoints import Checkpoint
from gateway.values.ids import Address, Hash


class Checkpoints(Protocol):
    def genesis_hash(self) -> Hash: ...
    def find(self, witness: Address, number: int) -> Checkpoint | None: ...
    def add(self, checkpoint: Checkpoint, now: int) -> None: ...
