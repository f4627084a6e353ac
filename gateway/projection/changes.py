"""Collects what a range of blocks changed in batches, entries, points, reservations and authorizers, and writes it in one go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from gateway.ledger.effects import Effect, Movement
from gateway.ledger.entries import Authorize, Redeem, Transfer
from gateway.ledger.lots import split_lot_id
from gateway.ledger.state import LedgerState
from gateway.projection import tables
from gateway.projection.batch_reading import issue_named
from gateway.projection.issue_records import IssueOnLedger
from gateway.projection.ledger_state import RESERVATION_STATUS
from gateway.store.counters import note_given
from gateway.store.upsert import add_to_rows, insert_rows, set_rows
from gateway.values.ids import Hash, LotId, MemberId, Reference, ReservationId

HIGHEST_COUNTED = 2**62
"""Of batches' numbers. A brand may sign any of 64 bits; a count that went along with the last of them would have no next one."""
_LOT_AMOUNTS = ("issued", "opened", "clawed_back", "redeemed", "refunded", "expired", "restored", "moved")


def note_numbers(session: Session, batches: Iterable[tuple[int, int]]) -> None:
    """Batches, by brand and number, that nobody packed here: what is packed next has a higher number. One that is signed with a number
    beyond all counting, where no other would follow it, leaves the count as it is."""
    highest: dict[str, int] = {}
    for brand_id, number in batches:
        if number <= HIGHEST_COUNTED:
            highest[batch_counter(brand_id)] = max(number, highest.get(batch_counter(brand_id), 0))
    note_given(session, highest)


def batch_counter(brand_id: int) -> str:
    """The counter of the numbers of a brand's batches."""
    return f"batch of {brand_id}"


class Changes:
    """Rows to write; `state` is the model's, which holds the new figures."""

    def __init__(self, state: LedgerState) -> None:
        self.batches: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self._state = state
        self._movements: list[dict[str, Any]] = []
        self._releases: Counter[int] = Counter()
        self._member_lots: set[tuple[MemberId, LotId]] = set()
        self._reservations: set[ReservationId] = set()
        self._clawed: set[IssueOnLedger] = set()
        self._references: dict[ReservationId, Reference] = {}
        self._authorizers: dict[tuple[MemberId, Hash], dict[str, Any] | None] = {}

    def effect(self, position: int, brand_id: int, effect: Effect) -> None:
        """An entry that counted, in a batch of this brand."""
        self._clawed.update(filter(None, [issue_named(brand_id, effect.entry)]))
        self._move(position, effect.movements)
        if effect.reservation_id is not None and not isinstance(effect.entry, Transfer):
            self._reservations.add(effect.reservation_id)
            if isinstance(effect.entry, Authorize | Redeem):
                self._references[effect.reservation_id] = effect.entry.reference

    def released(self, start: int, reservation_id: ReservationId, movements: Sequence[Movement]) -> None:
        """By whoever did it, without an entry; `start` is the first position of the transaction, which may do several."""
        self._reservations.add(reservation_id)
        position = start + self._releases[start]
        self._releases[start] += 1
        self._move(position, movements)

    def _move(self, position: int, movements: Sequence[Movement]) -> None:
        sums: dict[tuple[MemberId, LotId], tuple[int, int]] = {}
        for movement in movements:  # two expired lots of one issuer come back into one grace lot
            held, reserved = sums.get((movement.member, movement.lot_id), (0, 0))
            sums[movement.member, movement.lot_id] = held + movement.held_delta, reserved + movement.reserved_delta
        self._member_lots.update(sums)
        self._movements += [
            {"position": position, "lot_id": lot, "member_id": member, "held_delta": held, "reserved_delta": reserved}
            for (member, lot), (held, reserved) in sums.items()
        ]

    def added_authorizer(self, member_id: MemberId, authorizer_id: Hash, kind: int, authorizer: bytes) -> None:
        self._authorizers[member_id, authorizer_id] = {
            "member_id": member_id,
            "authorizer_id": authorizer_id,
            "kind": kind,
            "authorizer": authorizer,
        }

    def removed_authorizer(self, member_id: MemberId, authorizer_id: Hash) -> None:
        self._authorizers[member_id, authorizer_id] = None

    def write(self, session: Session) -> None:
        insert_rows(session, tables.LedgerBatchRow, self.batches)
        note_numbers(session, ((row["brand_id"], row["number"]) for row in self.batches))
        insert_rows(session, tables.LedgerEntryRow, self.entries)
        insert_rows(session, tables.LedgerMovementRow, self._movements)
        self._write_points(session)
        clawed = {place: self._state.clawed[place] for place in sorted(self._clawed)}
        names = "brand_id", "batch_number", "entry_index"
        rows = [
            {**dict(zip(names, place, strict=True)), "member_id": one.member, "points": one.points, "latest_day": one.latest_day}
            for place, one in clawed.items()
        ]
        set_rows(session, tables.LedgerClawedIssueRow, rows)
        self._write_reservations(session)
        self._write_authorizers(session)

    def _write_points(self, session: Session) -> None:
        held, reserved = self._state.held, self._state.reserved
        set_rows(
            session,
            tables.LedgerMemberLotRow,
            [
                {"member_id": member, "lot_id": lot, "held": held.get((member, lot), 0), "reserved": reserved.get((member, lot), 0)}
                for member, lot in sorted(self._member_lots)
            ],
        )
        lots = [
            {
                "lot_id": lot,
                "brand_id": split_lot_id(lot)[0],
                "expiry_day": split_lot_id(lot)[1],
                **{name: getattr(totals, name) for name in _LOT_AMOUNTS},
            }
            for lot, totals in sorted(self._state.lots.items())
        ]
        add_to_rows(session, tables.LedgerLotRow, lots, _LOT_AMOUNTS)
        owed = [
            {**_pair(key), "points": self._state.owed.get(key, 0), "settled": self._state.settled.get(key, 0)}
            for key in sorted(self._state.owed.keys() | self._state.settled.keys())
        ]
        exposed = [
            {"issuer_id": issuer, "acceptor_id": acceptor, "points": points}
            for (issuer, acceptor), points in sorted(self._state.exposure.items())
        ]
        set_rows(session, tables.LedgerExposureRow, exposed)
        add_to_rows(session, tables.LedgerOwedRow, owed, ("points", "settled"))

    def _write_reservations(self, session: Session) -> None:
        opened, changed, lots = [], [], []
        for reservation_id in sorted(self._reservations):
            reservation = self._state.reservations[reservation_id]
            row = {
                "reservation_id": reservation_id,
                "captured": sum(lot.captured for lot in reservation.lots.values()),
                "refunded": sum(lot.refunded for lot in reservation.lots.values()),
                "status": RESERVATION_STATUS[reservation.state],
            }
            if reservation_id in self._references:
                opened.append(
                    {
                        **row,
                        "member_id": reservation.member,
                        "brand_id": reservation.brand_id,
                        "reference": self._references[reservation_id],
                        "points": sum(lot.authorized for lot in reservation.lots.values()),
                        "deadline": reservation.deadline,
                    }
                )
            else:
                changed.append(row)
            lots += [
                {
                    "reservation_id": row["reservation_id"],
                    "lot_id": lot_id,
                    "reserved": lot.authorized,
                    "captured": lot.captured,
                    "refunded": lot.refunded,
                    "discount_minor": lot.discount,
                    "terms_number": lot.terms,
                }
                for lot_id, lot in sorted(reservation.lots.items())
            ]
        insert_rows(session, tables.LedgerReservationRow, opened)
        if changed:
            session.execute(update(tables.LedgerReservationRow), changed)
        set_rows(session, tables.LedgerReservationLotRow, lots)

    def _write_authorizers(self, session: Session) -> None:
        row = tables.LedgerAuthorizerRow
        for (member_id, authorizer_id), present in self._authorizers.items():
            if present is None:
                session.execute(delete(row).where(row.member_id == member_id, row.authorizer_id == authorizer_id))
        set_rows(session, row, [present for present in self._authorizers.values() if present is not None])


def _pair(key: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("issuer_id", "acceptor_id", "terms_number"), key, strict=True))
