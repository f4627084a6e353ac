"""Invariant 5: what was acknowledged is never lost and never doubled: each operation ends, and is on the ledger exactly once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from gateway.audit.book import BookEntry
from gateway.audit.case import Case
from gateway.ledger.entries import EntryKind
from gateway.ledger.framing import unpack_entries
from gateway.rounds.tables import BatchRow, OperationRow
from gateway.values.ids import Reference

OPEN_SECONDS_MAX = 2 * 3600  # twice a batch's usual lifetime: later than this nothing waits for good reason
KINDS_ON_LEDGER = frozenset(kind.name.lower() for kind in EntryKind)
Place = tuple[int, int, int]


def findings(case: Case) -> Iterator[str]:
    batches = {batch.batch_id: batch for batch in case.evidence.store.batches}
    entries = {(entry.brand_id, entry.batch_number, entry.entry_index): entry for entry in case.replay.book.entries}
    claims: dict[Place, list[OperationRow]] = defaultdict(list)
    for operation in case.evidence.store.operations:
        batch = batches.get(operation.batch_id) if operation.batch_id is not None else None
        if batch is not None and operation.entry_index is not None:
            claims[batch.brand_id, batch.number, operation.entry_index].append(operation)
        yield from _operation(case, operation, batch, entries)
    yield from _claimed_once(claims)
    yield from _entries_have_operations(case, batches, claims)
    yield from _batches(case, batches)
    yield from _references_used_once(case)


def _operation(case: Case, operation: OperationRow, batch: BatchRow | None, entries: Mapping[Place, BookEntry]) -> Iterator[str]:
    name = f"operation {operation.operation_id} ({operation.kind})"
    place = (batch.brand_id, batch.number, operation.entry_index) if batch is not None and operation.entry_index is not None else None
    entry = entries.get(place) if place else None
    if entry is not None and batch is not None and batch.status == "failed" and not _is_recorded(case, batch):
        entry = None  # another batch took the number: nothing of this one is on the ledger
    match operation.status:
        case "confirmed" if operation.kind not in KINDS_ON_LEDGER:
            yield from _confirmed_change(case, operation, name)
        case "confirmed" if entry is None:
            yield f"{name} is confirmed, but is not on the ledger"
        case "confirmed" if entry is not None:
            if entry.refused is not None:
                yield f"{name} is confirmed, but the ledger refused it: {entry.refused}"
            yield from _same_content(operation, entry, name)
        case "refused" if entry is not None and entry.refused is None:
            yield f"{name} is refused ({operation.reason}), but the ledger accepted it"
        case "accepted" | "packed":
            if entry is not None:
                yield f"{name} is {operation.status}, but already on the ledger"
            elif case.evidence.now - operation.created_at > OPEN_SECONDS_MAX:
                yield f"{name} is {operation.status} since {case.evidence.now - operation.created_at} seconds"
        case "refused" | "confirmed":
            pass
        case status:
            yield f"{name} has the unknown status {status}"


def _confirmed_change(case: Case, operation: OperationRow, name: str) -> Iterator[str]:
    """Enrolments and changes of brands are transactions of their own."""
    enrolled = case.replay.model.state.members
    if operation.kind == "enroll" and operation.member_id not in enrolled:
        yield f"{name} is confirmed, but member {operation.member_id} is not enrolled"
    if operation.kind == "register_brand" and operation.brand_id not in case.replay.brands:
        yield f"{name} is confirmed, but brand {operation.brand_id} is not on the ledger"


def _same_content(operation: OperationRow, entry: BookEntry, name: str) -> Iterator[str]:
    said = (operation.kind, operation.brand_id, operation.reference)
    if said != (entry.kind, entry.brand_id, entry.reference):
        yield f"{name} is confirmed as a {entry.kind} of brand {entry.brand_id} with the reference {entry.reference}"
    if operation.member_id is not None and operation.member_id != entry.member:
        yield f"{name} is of member {operation.member_id}, on the ledger of {entry.member}"
    if operation.reservation_id is not None and operation.reservation_id != entry.reservation_id:
        yield f"{name} is of reservation {operation.reservation_id}, on the ledger of {entry.reservation_id}"
    with_points = ("issue", "opening", "authorize", "redeem", "capture", "point_refund", "transfer")
    if operation.kind in with_points and operation.points != entry.points:
        yield f"{name} is of {operation.points} points, on the ledger of {entry.points}"


def _claimed_once(claims: Mapping[Place, list[OperationRow]]) -> Iterator[str]:
    for (brand, number, index), operations in claims.items():
        if len([each for each in operations if each.status == "confirmed"]) > 1:
            yield f"entry {index} of batch {number} of brand {brand} confirms {len(operations)} operations"


def _entries_have_operations(case: Case, batches: Mapping[int, BatchRow], claims: Mapping[Place, list[OperationRow]]) -> Iterator[str]:
    """Every entry of our brands was an operation. Of entries older than this database (rebuilt from the ledger) the reference is enough."""
    store = case.evidence.store
    ours = {brand.brand_id for brand in store.brands}
    known = {(batch.brand_id, batch.number) for batch in batches.values()}
    references: set[tuple[int, Reference | None]] = {(row.brand_id, row.reference) for row in store.references}
    own = (entry.position for entry in case.replay.book.entries if (entry.brand_id, entry.batch_number) in known)
    first_own = min(own, default=None)
    for entry in case.replay.book.entries:
        place = (entry.brand_id, entry.batch_number, entry.entry_index)
        if entry.brand_id not in ours or place in claims:
            continue
        reference = (entry.brand_id, entry.reference)
        if (entry.brand_id, entry.batch_number) in known:
            yield f"{entry.place} is on the ledger, but its operation is lost"
        elif first_own is not None and entry.position > first_own:
            yield f"{entry.place} is on the ledger, written past this gateway"
        elif entry.refused is None and entry.reference is not None and reference not in references:
            yield f"{entry.place} is on the ledger, but nothing here knows its reference"


def _batches(case: Case, batches: Mapping[int, BatchRow]) -> Iterator[str]:
    """A stored batch that is recorded is recorded as it was stored."""
    for batch in batches.values():
        recorded = case.evidence.chain.batches.get((batch.brand_id, batch.number))
        name = f"batch {batch.number} of brand {batch.brand_id}"
        if recorded is None and batch.status == "recorded":
            yield f"{name} is recorded here, but not on the ledger"
        elif recorded is not None and batch.status == "recorded" and recorded.entries != batch.entries:
            yield f"{name} has other entries on the ledger ({len(unpack_entries(recorded.entries))}) than were stored ({batch.entry_count})"
        elif recorded is not None and batch.status != "recorded" and recorded.entries == batch.entries:
            yield f"{name} is on the ledger, but {batch.status} here"


def _references_used_once(case: Case) -> Iterator[str]:
    """One write, one entry; a payment that earned twice is named by invariant 3."""
    seen: dict[tuple[int, Reference], BookEntry] = {}
    for entry in case.replay.book.accepted:
        if entry.reference is None or entry.kind == "issue":
            continue
        first = seen.setdefault((entry.brand_id, entry.reference), entry)
        if first is not entry:
            yield f"{entry.place} doubles batch {first.batch_number}, entry {first.entry_index}: the same reference"


def _is_recorded(case: Case, batch: BatchRow) -> bool:
    recorded = case.evidence.chain.batches.get((batch.brand_id, batch.number))
    return recorded is not None and recorded.entries == batch.entries
