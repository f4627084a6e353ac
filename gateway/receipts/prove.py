"""Receipts: read what happened from the projection, then ask the node to prove it. No unit of work is open while the node is asked."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import points_ledger
from gateway.chain.connection import Chain
from gateway.coalition.tables import CoalitionRow
from gateway.ledger.positions import ledger_position
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.ledger.slots import balance_slot, batch_slot, outstanding_slot
from gateway.projection.tables import LedgerBatchRow, LedgerBlockRow, LedgerBrandRow, LedgerEntryRow, LedgerLotRow, LedgerMovementRow
from gateway.receipts.receipt import ProvenLot, RecordedBatch, StateProof, entry_receipt, points_receipt
from gateway.receipts.state_proof import prove, sealers_of
from gateway.receipts.witnessed import newest_witnessed, witnessed_at
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.store.session import Database
from gateway.values.errors import Invalid, NotFound, TooLarge, Unavailable, WrongState
from gateway.values.hex import BadHex
from gateway.values.ids import MemberId

MAX_LOTS = 1_000
SHOWN_LOTS_MAX = 400  # each with two proofs


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
    """The receipt of an entry by its place on the ledger. The record of its batch stays for ever: it is proven at the block that recorded
    it or a later one, where witnesses countersigned, and by the key that seals now."""
    sealers = sealers_of(chain)
    with database.read() as session:
        coalition = coalition_row(session)
        batch, block_number = _recorded_batch(session, brand_id, batch_number)
        sealed_since = max((each.number for each in sealers.handovers if each.number <= _head(session)), default=0)
        witnessed = newest_witnessed(session, max(block_number, sealed_since))
    if not 0 <= entry_index < len(batch.entries):
        raise NotFound(f"Batch {batch_number} of brand {brand_id} has no entry {entry_index}")
    slot = batch_slot(points_ledger().storage_slot("batches"), brand_id, batch_number)
    return entry_receipt(batch, entry_index, prove(chain, coalition, witnessed, [slot], sealers))


def receipt_of_points(database: Database, chain: Chain, member_id: str, block_number: int | None = None) -> dict[str, Any]:
    """The receipt of a member's points at a block (default: the last one projected). It shows every lot of every brand with its
    outstanding points, and so that none was left out; where these are too many, the lots that the member ever had until then."""
    try:
        member = MemberId.parse(member_id)
    except BadHex:
        raise Invalid("A member id is 0x and 40 hex digits", field="member_id") from None
    with database.read() as session:
        coalition, head = coalition_row(session), _head(session)
        if head < 0 or (block_number is not None and not 0 <= block_number <= head):
            raise NotFound(f"Block {block_number} is not known here; the last one is {head}", head=head)
        at = head if block_number is None else block_number
        moved = LedgerMovementRow.member_id == member, LedgerMovementRow.position < ledger_position(at + 1)
        own = set(session.scalars(select(LedgerMovementRow.lot_id).where(*moved).distinct()))
        every = set(session.scalars(select(LedgerLotRow.lot_id))) | own
        brands = sorted(session.scalars(select(LedgerBrandRow.brand_id))) if len(every) <= SHOWN_LOTS_MAX else []
        witnessed = witnessed_at(session, at)
    if len(own) > MAX_LOTS:
        raise TooLarge(f"{len(own)} lots do not fit a receipt")
    lots = sorted(every) if brands else sorted(own)
    ledger = points_ledger()
    slots = [balance_slot(ledger.storage_slot("balances"), lot, member) for lot in lots]
    if brands:
        slots += [outstanding_slot(ledger.storage_slot("outstandingOfLot"), lot) for lot in lots]
        slots += [outstanding_slot(ledger.storage_slot("outstanding"), brand) for brand in brands]
    state = prove(chain, coalition, witnessed, slots, sealers_of(chain))
    return _points_receipt(member, lots, brands, state, own)


def _points_receipt(member: MemberId, lots: Sequence[int], brands: Sequence[int], state: StateProof, own: Container[int]) -> dict[str, Any]:
    """A lot of which nothing is outstanding needs not be shown, unless it was the member's."""
    balances = state.slots[: len(lots)]
    if not brands:
        return points_receipt(member, [ProvenLot(lot, balance) for lot, balance in zip(lots, balances, strict=True)], state)
    of_lots, of_brands = state.slots[len(lots) : 2 * len(lots)], state.slots[2 * len(lots) :]
    proven = [ProvenLot(lot, balance, of_lot) for lot, balance, of_lot in zip(lots, balances, of_lots, strict=True)]
    shown = [lot for lot in proven if lot.lot_id in own or lot.of_member.word or (lot.of_lot and lot.of_lot.word)]
    return points_receipt(member, shown, state, list(zip(brands, of_brands, strict=True)))


def _head(session: Session) -> int:
    """-1 while nothing is projected."""
    found = session.scalar(select(func.max(LedgerBlockRow.number)))
    return -1 if found is None else found


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
