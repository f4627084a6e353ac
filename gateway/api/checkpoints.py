"""Checkpoints: which block a witness saw at a number, by its signature. Witnesses bring them; everyone may read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from gateway.api.context import ContextNeeded
from gateway.api.idempotency import WriteNeeded
from gateway.api.permissions import AsReader
from gateway.api.problems import OPEN_READS, WRITES
from gateway.api.routing import Router
from gateway.api.shapes import AddressText, Body, Signature, UnixSeconds, Whole, Word32
from gateway.checkpoints.record_checkpoint import record_checkpoint
from gateway.checkpoints.rows import SqlCheckpoints
from gateway.checkpoints.views import CheckpointView, newest_checkpoints, recorded_checkpoint
from gateway.ledger.checkpoints import Checkpoint
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.hex import to_bytes
from gateway.values.ids import Address, Hash

router = Router(prefix="/v1/checkpoints", tags=["receipts"])


class CheckpointBody(Body):
    """`signature` is the witness's over this coalition's genesis hash and these fields (docs/ledger-format.md), v 0 or 1.
    `python -m gateway.witness` makes and sends it."""

    number: Whole
    block_hash: Word32
    block_time: UnixSeconds
    witnessed_at: UnixSeconds
    witness: AddressText
    signature: Signature


class CheckpointList(BaseModel):
    checkpoints: list[CheckpointView]


@router.get("", responses=OPEN_READS)
async def get_checkpoints(context: ContextNeeded) -> CheckpointList:
    """Of each witness the newest, and every one that saw another block than is projected here. Open to everyone."""
    return CheckpointList(checkpoints=await context.shown.find_soon(_newest, None) or [])


def _newest(work: UnitOfWork, keys: Sequence[None]) -> Mapping[None, list[CheckpointView]]:
    return dict.fromkeys(keys, newest_checkpoints(work.session))


@router.post("", status_code=201, responses=WRITES)
def create_checkpoint(body: CheckpointBody, caller: AsReader, write: WriteNeeded) -> CheckpointView:
    """Recorded as it is, also where it contradicts the ledger that this gateway shows. A witness signs one block of a number."""
    witness = Address.parse(body.witness)

    def act(work: UnitOfWork) -> str:
        checkpoints = work.of(SqlCheckpoints)
        signed = body.number, Hash.parse(body.block_hash), body.block_time, body.witnessed_at, witness, to_bytes(body.signature)
        record_checkpoint(Checkpoint(checkpoints.genesis_hash(), *signed), checkpoints=checkpoints, now=work.now)
        return f"{witness}/{body.number}"

    write.once(caller, "checkpoint", body.content(), act)
    if "Idempotent-Replayed" in write.response.headers:
        write.response.status_code = 200
    with write.context.database.read() as session:
        return recorded_checkpoint(session, witness, body.number)
