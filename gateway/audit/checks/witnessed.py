"""Invariant 13: every block carries its sealer's seal, handovers included, and no witness countersigned another chain."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.audit.case import Case
from gateway.audit.evidence import ChainEvidence
from gateway.checkpoints.tables import CheckpointRow
from gateway.ledger.checkpoints import Checkpoint, NoCheckpoint, check_signed
from gateway.ledger.seals import NotSealed, Sealers
from gateway.values.calendar import moment_in_words


def findings(case: Case) -> Iterator[str]:
    chain = case.evidence.chain
    yield from _seals(chain)
    for row in case.evidence.store.checkpoints:
        yield from _checkpoint(chain, row)


def _seals(chain: ChainEvidence) -> Iterator[str]:
    """Of an engine that seals nothing there are none."""
    sealers = Sealers(chain.first_sealer)
    for number, seal in sorted(chain.seals.items()):
        try:
            sealers = sealers.after(number, chain.block_hashes[0], chain.block_hashes[number], seal)
        except NotSealed as wrong:
            yield f"block {number} {wrong}"


def _checkpoint(chain: ChainEvidence, row: CheckpointRow) -> Iterator[str]:
    said = f"witness {row.witness} countersigned"
    try:
        fields = row.number, row.block_hash, row.block_time, row.witnessed_at, row.witness, row.signature
        check_signed(Checkpoint(chain.block_hashes[0], *fields))
    except (NoCheckpoint, TypeError) as wrong:
        yield f"the stored checkpoint of block {row.number} by {row.witness} is none: {wrong}"
        return
    if row.number > chain.block_number:
        return
    if chain.block_hashes[row.number] != row.block_hash:
        yield f"{said} {row.block_hash} as block {row.number}, the node shows {chain.block_hashes[row.number]}"
    elif chain.timestamps[row.number] != row.block_time:
        countersigned, shown = moment_in_words(row.block_time), moment_in_words(chain.timestamps[row.number])
        yield f"{said} that block {row.number} is of {countersigned}, the node says {shown}"
