"""Receipts: read what happened from the projection, then ask the node to prove it. No unit of work is open while the node is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import points_ledger
from gateway.chain.connection import METHOD_NOT_FOUND, Chain, NodeRefused
from gateway.coalition.tables import CoalitionRow
from gateway.ledger.positions import ledger_position
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.ledger.slots import balance_slot, batch_slot
from gateway.projection.tables import LedgerBatchRow, LedgerBlockRow, LedgerEntryRow, LedgerMovementRow
from gateway.receipts.receipt import CoalitionEvidence, RecordedBatch, SealedBlock, SlotProof, StateProof, entry_receipt, points_receipt
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.store.session import Database
from gateway.values.errors import Invalid, NoSeal, NotFound, TooLarge, Unavailable, WrongState
from gateway.values.hex import BadHex, from_int, hex_text, to_bytes, to_int
from gateway.values.ids import Address, MemberId

MAX_LOTS = 1_000
SEAL = "splittally_getSeal"
_TIMESTAMP, _NUMBER = 11, 8


def receipt_of_operation(database: Database, chain: Chain, operation_id: str, brand_id: int | None = None) -> dict[str, Any]:
    """The receipt of the entry that an operation became; `brand_id` restricts to that brand's own."""
    with database.read() as session:
        operation = session.scalar(select(OperationRow).where(OperationRow.operation_id == operation_id))
        if operation is None or (brand_id is not None and operation.brand_id != brand_id):
            raise NotFound(f"There is no operation {operation_id}")
        if operation.status in ("accepted", "packed"):
            raise WrongState(f"Operation {operation_id} is not on the ledger yet: it is {operation.status}", status=operation.status)
        batch = session.get(BatchRow, operation.batch_id) if operation.batch_id is not None else None
        if batch is None or operation.entry_index is None:
            raise NotFound(f"Operation {operation_id} has no entry on the ledger, so there is no receipt for it")
        place = (batch.brand_id, batch.number, operation.entry_index)
    return receipt_of_entry(database, chain, *place)


def receipt_of_entry(database: Database, chain: Chain, brand_id: int, batch_number: int, entry_index: int) -> dict[str, Any]:
    """The receipt of an entry by its place on the ledger, proven at the block that recorded it."""
    with database.read() as session:
        coalition = coalition_row(session)
        batch, block_number = _recorded_batch(session, brand_id, batch_number)
    if not 0 <= entry_index < len(batch.entries):
        raise NotFound(f"Batch {batch_number} of brand {brand_id} has no entry {entry_index}")
    slot = batch_slot(points_ledger().storage_slot("batches"), brand_id, batch_number)
    return entry_receipt(batch, entry_index, prove(chain, coalition, block_number, [slot]))


def receipt_of_points(database: Database, chain: Chain, member_id: str, block_number: int | None = None) -> dict[str, Any]:
    """The receipt of a member's points at a block (default: the last one projected), in every lot the member ever had until then."""
    try:
        member = MemberId.parse(member_id)
    except BadHex:
        raise Invalid("A member id is 0x and 40 hex digits", field="member_id") from None
    with database.read() as session:
        coalition = coalition_row(session)
        head = session.scalar(select(func.max(LedgerBlockRow.number)))
        if head is None or (block_number is not None and not 0 <= block_number <= head):
            raise NotFound(f"Block {block_number} is not known here; the last one is {head}", head=head)
        at = head if block_number is None else block_number
        until = ledger_position(at + 1)
        moved = select(LedgerMovementRow.lot_id).where(LedgerMovementRow.member_id == member, LedgerMovementRow.position < until)
        lots = sorted(session.scalars(moved.distinct()))
    if len(lots) > MAX_LOTS:
        raise TooLarge(f"{len(lots)} lots do not fit a receipt")
    slots = [balance_slot(points_ledger().storage_slot("balances"), lot, member) for lot in lots]
    return points_receipt(member, lots, prove(chain, coalition, at, slots))


def prove(chain: Chain, coalition: CoalitionRow, block_number: int, slots: Sequence[int], contract: Address | None = None) -> StateProof:
    """Asks the node for the sealed header of a block and the proofs of slots in it: of the points ledger, unless of another contract."""
    at = from_int(block_number)
    keys = [hex_text(slot.to_bytes(32)) for slot in slots]
    asked = (
        (SEAL, (at,)),
        ("debug_getRawHeader", ("0x0",)),
        ("debug_getRawHeader", (at,)),
        ("eth_getProof", (hex_text(contract or coalition.points_address), keys, at)),
    )
    answers = chain.call_all(asked)
    for (method, _), answer in zip(asked, answers, strict=True):
        if isinstance(answer, NodeRefused):
            if method == SEAL and answer.code == METHOD_NOT_FOUND:
                raise NoSeal("This engine's blocks carry no seal, and a receipt is checked against its block's seal")
            raise Unavailable(f"The node cannot prove block {block_number}: {method} answers {answer.message}")
    seal, proof = answers[0], answers[3]
    genesis, header = to_bytes(answers[1]), to_bytes(answers[2])
    fields = rlp.decode(header)
    if to_bytes(seal["blockHash"]) != keccak(header):
        raise Unavailable(f"The node's seal is not for the header of block {block_number}")
    return StateProof(
        CoalitionEvidence(
            coalition_id=coalition.coalition_id,
            genesis_hash=keccak(genesis),
            genesis_header=genesis,
            points_address=coalition.points_address,
            sealer=to_bytes(seal["sealer"]),
        ),
        SealedBlock(
            number=int.from_bytes(fields[_NUMBER]),
            timestamp=int.from_bytes(fields[_TIMESTAMP]),
            hash=keccak(header),
            header=header,
            seal=to_bytes(seal["signature"]),
        ),
        _nodes(proof["accountProof"]),
        tuple(
            SlotProof(slot, to_int(found["value"]), _nodes(found["proof"]))
            for slot, found in zip(slots, proof["storageProof"], strict=True)
        ),
    )


def coalition_row(session: Session) -> CoalitionRow:
    coalition = session.get(CoalitionRow, 1)
    if coalition is None:
        raise Unavailable("This gateway has no ledger yet")
    return coalition


def _recorded_batch(session: Session, brand_id: int, number: int) -> tuple[RecordedBatch, int]:
    recorded = session.get(LedgerBatchRow, (brand_id, number))
    if recorded is None:
        raise NotFound(f"Brand {brand_id} has no batch {number} on the ledger")
    of_batch = (LedgerEntryRow.brand_id == brand_id, LedgerEntryRow.batch_number == number)
    columns = select(LedgerEntryRow.entry_index, LedgerEntryRow.entry, LedgerEntryRow.refused_reason)
    rows = session.execute(columns.where(*of_batch).order_by(LedgerEntryRow.entry_index)).all()
    refusals = tuple((index, _selector(reason)) for index, _, reason in rows if reason is not None)
    return RecordedBatch(brand_id, number, tuple(entry for _, entry, _ in rows), refusals), recorded.block_number


def _selector(reason: str) -> bytes:
    return SELECTORS[RefusalReason(reason)]


def _nodes(nodes: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(to_bytes(node) for node in nodes)
