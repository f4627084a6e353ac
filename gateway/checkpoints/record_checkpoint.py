"""Record a witness's checkpoint, whoever brings it: signed, of this chain, and never a second one of the same witness and number."""

from __future__ import annotations

from gateway.checkpoints.ports import Checkpoints
from gateway.ledger.checkpoints import Checkpoint, NoCheckpoint, check_signed
from gateway.values.errors import Invalid, ReferenceReused


def record_checkpoint(given: Checkpoint, *, checkpoints: Checkpoints, now: int) -> None:
    """One that contradicts the projection is recorded too: it is what an auditor must see."""
    if given.genesis_hash != checkpoints.genesis_hash():
        raise Invalid("the checkpoint is of another chain: sign this coalition's", field="genesis_hash")
    try:
        check_signed(given)
    except NoCheckpoint as wrong:
        raise Invalid(f"{wrong}: sign exactly what you send", field="signature") from None
    known = checkpoints.find(given.witness, given.number)
    if known is None:
        checkpoints.add(given, now)
    elif known != given:
        raise ReferenceReused(
            f"this witness signed another checkpoint of block {given.number} before: a witness signs each number once",
            block_hash=str(known.block_hash),
        )
