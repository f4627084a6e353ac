"""Checkpoints in the database."""

from __future__ import annotations

from sqlalchemy import select

from gateway.checkpoints.tables import CheckpointRow
from gateway.coalition.tables import CoalitionRow
from gateway.ledger.checkpoints import Checkpoint
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.errors import Unavailable
from gateway.values.ids import Address, Hash


class SqlCheckpoints:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def genesis_hash(self) -> Hash:
        found: Hash | None = self._session.scalar(select(CoalitionRow.genesis_hash))
        if found is None:
            raise Unavailable("the gateway is not initialized: run `splittally init`")
        return found

    def find(self, witness: Address, number: int) -> Checkpoint | None:
        row = self._session.get(CheckpointRow, (witness, number))
        return None if row is None else checkpoint_of(row, self.genesis_hash())

    def add(self, checkpoint: Checkpoint, now: int) -> None:
        self._session.add(
            CheckpointRow(
                witness=checkpoint.witness,
                number=checkpoint.number,
                block_hash=checkpoint.block_hash,
                block_time=checkpoint.block_time,
                witnessed_at=checkpoint.witnessed_at,
                signature=checkpoint.signature,
                received_at=now,
            )
        )


def checkpoint_of(row: CheckpointRow, genesis_hash: Hash) -> Checkpoint:
    return Checkpoint(genesis_hash, row.number, row.block_hash, row.block_time, row.witnessed_at, row.witness, row.signature)
