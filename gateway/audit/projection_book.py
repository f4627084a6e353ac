"""The projection's rows as a book, so that the same checks run over what members are shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.audit.book import Book, BookEntry, BookMovement, BookRelease, BookReservation
from gateway.audit.evidence import HeldPoints
from gateway.ledger.state import LotTotals
from gateway.projection.tables import (
    LedgerBrandRow,
    LedgerEntryRow,
    LedgerLotRow,
    LedgerMemberLotRow,
    LedgerMovementRow,
    LedgerOwedRow,
    LedgerReservationLotRow,
    LedgerReservationRow,
)
from gateway.values.ids import LotId, ReservationId

ProjectedRows = Mapping[str, Sequence[tuple[Any, ...]]]


def projection_book(rows: ProjectedRows) -> Book:
    """A book from every row of every projection table."""
    movements: dict[int, list[BookMovement]] = defaultdict(list)
    for row in named(rows, LedgerMovementRow):
        movements[row["position"]].append(BookMovement(row["member_id"], row["lot_id"], row["held_delta"], row["reserved_delta"]))
    written = {row["position"] for row in named(rows, LedgerEntryRow)}
    return Book(
        name="projection",
        entries=sorted(_entries(rows, movements), key=lambda entry: entry.position),
        holdings={(row["member_id"], row["lot_id"]): HeldPoints(row["held"], row["reserved"]) for row in named(rows, LedgerMemberLotRow)},
        lots={
            row["lot_id"]: LotTotals(
                row["issued"],
                row["opened"],
                row["redeemed"],
                row["clawed_back"],
                row["expired"],
                row["refunded"],
                row["restored"],
                row["moved"],
            )
            for row in named(rows, LedgerLotRow)
        },
        owed={
            (row["issuer_id"], row["acceptor_id"], row["terms_number"]): row["points"]
            for row in named(rows, LedgerOwedRow)
            if row["points"]
        },
        outstanding={row["brand_id"]: row["outstanding"] for row in named(rows, LedgerBrandRow)},
        reservations=_reservations(rows),
        releases=[BookRelease(position, tuple(movements[position])) for position in sorted(movements.keys() - written)],
    )


def named(rows: ProjectedRows, table: type[Any]) -> Iterable[dict[str, Any]]:
    """The rows of a table by column name."""
    names = [column.name for column in table.__table__.columns]
    return (dict(zip(names, row, strict=True)) for row in rows[table.__tablename__])


def _entries(rows: ProjectedRows, movements: Mapping[int, list[BookMovement]]) -> Iterable[BookEntry]:
    for row in named(rows, LedgerEntryRow):
        yield BookEntry(
            position=row["position"],
            brand_id=row["brand_id"],
            batch_number=row["batch_number"],
            entry_index=row["entry_index"],
            kind=row["kind"],
            member=row["member_id"],
            points=row["points"],
            reference=row["reference"],
            issue_reference=row["issue_reference"],
            reservation_id=row["reservation_id"],
            rule_version=row["rule_version"],
            entry=row["entry"],
            refused=row["refused_reason"],
            timestamp=row["block_timestamp"],
            movements=tuple(movements.get(row["position"], ())),
            taker=row["taker_id"],
        )


def _reservations(rows: ProjectedRows) -> dict[ReservationId, BookReservation]:
    lots: dict[ReservationId, dict[LotId, tuple[int, int, int, int, int]]] = defaultdict(dict)
    for row in named(rows, LedgerReservationLotRow):
        lots[row["reservation_id"]][row["lot_id"]] = (
            row["reserved"],
            row["captured"],
            row["refunded"],
            row["discount_minor"],
            row["terms_number"],
        )
    return {
        row["reservation_id"]: BookReservation(
            row["member_id"], row["brand_id"], row["deadline"], row["status"], lots.get(row["reservation_id"], {})
        )
        for row in named(rows, LedgerReservationRow)
    }
