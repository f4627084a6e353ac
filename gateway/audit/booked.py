"""What the replay writes down of an entry and of a reservation."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.audit.book import BookEntry, BookMovement, BookReservation
from gateway.audit.evidence import SubmittedBatch
from gateway.ledger.effects import Effect, Movement, Refused
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
    kind_of,
)
from gateway.ledger.model import LedgerModel
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.positions import ledger_position
from gateway.ledger.refusals import REFUSALS, RefusalReason
from gateway.ledger.state import ReservationRecord
from gateway.values.hex import hex_text
from gateway.values.ids import LotId, MemberId


def reason_name(reason: bytes) -> str:
    known: RefusalReason | None = REFUSALS.get(reason)
    return known.value if known else hex_text(reason)


def booked_entry(
    batch: SubmittedBatch, index: int, data: bytes, result: Effect | Refused, by_ledger: str | None, timestamp: int, model: LedgerModel
) -> BookEntry:
    entry = _decoded(data)
    effect = result if isinstance(result, Effect) else None
    reservation_id = effect.reservation_id if effect else getattr(entry, "reservation_id", None)
    member = effect.member if effect else getattr(entry, "member", getattr(entry, "giver", None))
    if member is None and reservation_id in model.state.reservations:
        member = model.state.reservations[reservation_id].member
    reference = getattr(entry, "reference", None)
    issue_reference = getattr(entry, "issue_reference", None)
    return BookEntry(
        position=ledger_position(batch.block_number, batch.transaction_index, index),
        brand_id=batch.brand_id,
        batch_number=batch.number,
        entry_index=index,
        kind=kind_of(entry).name.lower() if entry else "unreadable",
        member=member,
        points=points_of(entry) if entry else 0,
        reference=reference,
        issue_reference=issue_reference,
        reservation_id=reservation_id,
        rule_version=entry.basis.programme if isinstance(entry, Issue) else None,
        entry=data,
        refused=by_ledger,
        timestamp=timestamp,
        movements=movements_by_lot(effect.movements if effect else ()),
        taker=entry.taker if isinstance(entry, Transfer) else None,
    )


def movements_by_lot(movements: Sequence[Movement]) -> tuple[BookMovement, ...]:
    """One movement a member and lot: two expired lots of one issuer come back into one grace lot."""
    lots: dict[tuple[MemberId, LotId], tuple[int, int]] = {}
    for each in movements:
        held, reserved = lots.get((each.member, each.lot_id), (0, 0))
        lots[each.member, each.lot_id] = held + each.held_delta, reserved + each.reserved_delta
    return tuple(BookMovement(*place, held, reserved) for place, (held, reserved) in lots.items())


def _decoded(data: bytes) -> Entry | None:
    try:
        return decode_entry(data)
    except MalformedEntry:
        return None


def points_of(entry: Entry) -> int:
    """How many points an entry is about."""
    match entry:
        case Issue() | Opening() | Authorize() | Redeem() | Expire() | Extend():
            return entry.points
        case Clawback() | Restore() | Capture() | Void() | PointRefund() | Transfer():
            return sum(line.points for line in entry.lines)


def booked_reservation(reservation: ReservationRecord) -> BookReservation:
    return BookReservation(
        member=reservation.member,
        brand_id=reservation.brand_id,
        deadline=reservation.deadline,
        status=reservation.state.name.lower(),
        lots={lot: (part.authorized, part.captured, part.refunded, part.discount, part.terms) for lot, part in reservation.lots.items()},
    )
