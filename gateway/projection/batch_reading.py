"""What a block says about the ledger: its batches with their entries from calldata, and the other events in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.chain.artifacts import Artifact, Event, points_ledger
from gateway.chain.shapes import Block, ChainTransaction, Log
from gateway.ledger.batches import batch_outcome, batch_record, entries_root
from gateway.ledger.consents import spender_of
from gateway.ledger.entries import (
    Authorize,
    Capture,
    Clawback,
    Entry,
    Expire,
    Extend,
    Issue,
    Opening,
    PointRefund,
    Redeem,
    Restore,
    Transfer,
    Void,
    decode_entry,
)
from gateway.ledger.framing import unpack_entries
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.refusals import SELECTORS, RefusalReason, refusal_of
from gateway.projection.issue_records import IssueOnLedger
from gateway.values.errors import Foreseen
from gateway.values.ids import Address, Hash, MemberId, ReservationId


class LedgerUnreadable(Foreseen):
    """A block of the node contradicts itself or the ledger format; nothing of it is projected."""


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """An entry as it stands in calldata; `entry` is None where the bytes are none."""

    raw: bytes
    entry: Entry | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """A recorded batch; `packed` are its entries as in calldata, `transfers` (from, to, lot id, points) in the order of its logs."""

    brand_id: int
    number: int
    root: Hash
    packed: bytes
    entries: tuple[ReadEntry, ...]
    transaction: ChainTransaction
    transfers: tuple[tuple[Address, Address, int, int], ...]

    @property
    def refused_count(self) -> int:
        return sum(1 for entry in self.entries if entry.refused is not None)

    @property
    def record(self) -> Hash:
        """What the contract keeps of it."""
        refusals = ((index, SELECTORS[RefusalReason(read.refused)]) for index, read in enumerate(self.entries) if read.refused is not None)
        return batch_record(self.root, batch_outcome(len(self.entries), refusals))


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """A block; `items` are its batches and other events in the order in which they happened."""

    block: Block
    items: tuple[ReadBatch | Event, ...]


def read_block(block: Block, logs: Sequence[Log], contracts: Mapping[Address, Artifact]) -> ReadBlock:
    """Puts a block's logs and calldata together; `contracts` are those whose logs these are, by their addresses."""
    transactions = {transaction.hash: transaction for transaction in block.transactions}
    by_transaction: dict[Hash, list[Event]] = {}
    for log in sorted(logs, key=lambda log: log.index):
        if log.block_hash != block.hash or log.transaction_hash not in transactions:
            raise LedgerUnreadable(f"a log of block {block.number} belongs to another block")
        if log.address not in contracts:
            raise LedgerUnreadable(f"a log of block {block.number} is of {log.address}, which was not asked for")
        event = contracts[log.address].event(log)
        if event is not None:
            by_transaction.setdefault(log.transaction_hash, []).append(event)
    items: list[ReadBatch | Event] = []
    for transaction_hash, events in by_transaction.items():
        if any(event.name == "BatchRecorded" for event in events):
            items.append(_read_batch(transactions[transaction_hash], events, contracts))
        else:
            items.extend(events)
    return ReadBlock(block, tuple(items))


def members_named(entry: Entry) -> MemberId | None:
    """The member that an entry names itself (a capture, void or point refund names a reservation instead)."""
    match entry:
        case Issue() | Opening() | Clawback() | Restore() | Authorize() | Redeem() | Expire() | Extend():
            return entry.member
        case Transfer():
            return entry.giver
        case _:
            return None


def members_needed(entry: Entry) -> list[MemberId]:
    """Whose points or authorizers say what an entry does, where it names them."""
    match entry:
        case Transfer():
            return [entry.giver, entry.taker]
        case Authorize() | Redeem():
            return [entry.member, spender_of(entry)]
        case _:
            return list(filter(None, [members_named(entry)]))


def issue_named(brand_id: int, entry: Entry) -> IssueOnLedger | None:
    """The issue that an entry of this brand takes back or restores."""
    match entry:
        case Clawback():
            return brand_id, entry.issue.number, entry.issue.index
        case Restore():
            return brand_id, entry.number, entry.index
        case _:
            return None


def reservation_named(entry: Entry) -> ReservationId | None:
    """The reservation that an entry names."""
    match entry:
        case Capture() | Void() | PointRefund():
            return entry.reservation_id
        case _:
            return None


def transaction_index(block: ReadBlock, event: Event) -> int:
    """Of the transaction that logged the event."""
    return next(each.index for each in block.block.transactions if each.hash == event.log.transaction_hash)


def _read_batch(transaction: ChainTransaction, events: Sequence[Event], contracts: Mapping[Address, Artifact]) -> ReadBatch:
    ledger = points_ledger()
    called = contracts.get(transaction.to) if transaction.to is not None else None
    if called is not ledger or transaction.input[:4] != ledger.selector("submitBatch"):
        raise LedgerUnreadable(f"transaction {transaction.hash} recorded a batch without carrying it")
    (brand_id, number, _deadline), packed, _signature = ledger.arguments("submitBatch", transaction.input)
    recorded = next(event for event in events if event.name == "BatchRecorded").values
    refusals = {event.values["index"]: refusal_of(event.values["reason"]).value for event in events if event.name == "EntryRefused"}
    raw_entries = unpack_entries(packed)
    said = (recorded["brand"], recorded["number"], recorded["root"], recorded["entryCount"], recorded["refusedCount"])
    if said != (brand_id, number, entries_root(raw_entries), len(raw_entries), len(refusals)):
        raise LedgerUnreadable(f"transaction {transaction.hash}: calldata and BatchRecorded differ")
    return ReadBatch(
        brand_id,
        number,
        Hash(recorded["root"]),
        packed,
        tuple(ReadEntry(raw, _decoded(raw), refusals.get(index)) for index, raw in enumerate(raw_entries)),
        transaction,
        tuple(_transfer(event) for event in events if event.name == "TransferSingle"),
    )


def _decoded(raw: bytes) -> Entry | None:
    try:
        return decode_entry(raw)
    except MalformedEntry:
        return None


def _transfer(event: Event) -> tuple[Address, Address, int, int]:
    values = event.values
    return values["from"], values["to"], values["id"], values["value"]
