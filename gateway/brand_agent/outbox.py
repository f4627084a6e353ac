"""The outbox as acts on the journal's connection: add, take what is ready, and mark what became of it.

An item is ready once nothing said earlier about the same payment or reservation is still unanswered. Nothing else holds it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.brand_agent.item import Item, ItemKind, ItemState, NewItem, Outcome, Speaker

PARCEL_MAX = 1_000
_PAUSE_SHARE, _LONGEST_PAUSE_SECONDS = 0.25, 30  # between two looks at how an item stands: a part of the time that it has taken
_COLUMNS = (
    "sequence, kind, external_id, target, body, points, state, operation_id, outcome, reason, tries, faults, more_operations,"
    " answered_at, detail, till, cashier"
)
_LONGEST_PAUSE = 300


class OtherContent(Exception):
    """The id was used before, for something else."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the gateway said of an item: it has it under `operation_id`, or it has ended, or (neither) it is to be sent again.

    What a brand's agent says may come without an operation yet (`is_there`), and name a sale's `points`.
    """

    sequence: int
    operation_id: str | None = None
    outcome: Outcome | None = None
    reason: str | None = None
    is_fault: bool = False
    more_operations: tuple[str, ...] = ()
    detail: str | None = None
    is_there: bool = False
    points: int | None = None


def find(connection: sqlite3.Connection, kind: ItemKind, external_id: str) -> Item | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM items WHERE kind = ? AND external_id = ?", (kind, external_id)).fetchone()  # noqa: S608
    return None if row is None else _item(row)


def item_at(connection: sqlite3.Connection, sequence: int) -> Item:
    return _item(connection.execute(f"SELECT {_COLUMNS} FROM items WHERE sequence = ?", (sequence,)).fetchone())  # noqa: S608


def add(connection: sqlite3.Connection, new: NewItem, speaker: Speaker, now: int, is_same: Callable[[str], bool]) -> tuple[Item, bool]:
    """(the item, whether it was there before). `is_same` compares with an earlier body. Raises OtherContent."""
    known = find(connection, new.kind, new.external_id)
    if known is not None:
        if known.target != new.target or not is_same(known.body):
            raise OtherContent(f"{new.kind} {new.external_id} was used before with other content")
        return known, True
    told = new.kind, new.external_id, new.target, new.body, new.held, speaker.till, speaker.cashier
    done = connection.execute(
        "INSERT INTO items (kind, external_id, target, body, held, till, cashier, day, gross_minor, points, journaled_at, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'journaled')",
        (*told, new.day, new.gross_minor, new.points, now),
    )
    assert done.lastrowid is not None
    what = new.kind, new.external_id, new.target, new.body, new.points
    return Item(done.lastrowid, *what, ItemState.JOURNALED, None, None, None, 0, 0, till=speaker.till, cashier=speaker.cashier), False


def take_back_what_was_sent(connection: sqlite3.Connection) -> None:
    """At the start: an earlier process did not learn whether it arrived. The same request comes again, and happens once."""
    connection.execute(
        "UPDATE items SET state = 'journaled' WHERE state = 'sent' AND state IN ('journaled', 'sent')"
    )  # as the index has it


def take(connection: sqlite3.Connection, kind: ItemKind, now: float, most: int, *, troubled: bool) -> list[Item]:
    """Items of a kind that are ready, marked as sent. What failed before goes apart from the rest, in ever smaller parcels."""
    ready = (
        f"SELECT {_COLUMNS} FROM items AS one WHERE state = 'journaled' AND kind = ? AND not_before <= ? AND {{}}"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM items AS earlier WHERE earlier.held = one.held AND earlier.sequence < one.sequence"
        " AND earlier.state IN ('journaled', 'sent')) ORDER BY sequence LIMIT ?"
    )
    if troubled:
        first = connection.execute(ready.format("faults > 0"), (kind, now, 1)).fetchone()
        if first is None:
            return []
        faults = _item(first).faults
        most = min(most, max(1, PARCEL_MAX >> (3 * faults)))
        rows = connection.execute(ready.format("faults = ?"), (kind, now, faults, most)).fetchall()
    else:
        rows = connection.execute(ready.format("faults = 0"), (kind, now, most)).fetchall()
    items = [_item(row) for row in rows]
    connection.executemany("UPDATE items SET state = 'sent' WHERE sequence = ?", [(item.sequence,) for item in items])
    return items


def mark(connection: sqlite3.Connection, marks: Iterable[Mark], now: float) -> None:
    """Writes down what the gateway said of items that were sent or answered; what has ended stays as it ended."""
    for one in marks:
        more = json.dumps(one.more_operations) if one.more_operations else None
        if one.outcome is not None:
            connection.execute(
                "UPDATE items SET state = 'ended', outcome = ?, reason = ?, detail = ?, operation_id = coalesce(?, operation_id),"
                " points = coalesce(?, points), answered_at = iif(answered_at = 0, ?, answered_at) WHERE sequence = ? AND state <> 'ended'",
                (one.outcome, one.reason, one.detail, one.operation_id, one.points, now, one.sequence),
            )
        elif one.operation_id is not None or one.is_there:
            connection.execute(
                "UPDATE items SET state = 'answered', detail = NULL, operation_id = coalesce(?, operation_id), reason = ?,"
                " more_operations = coalesce(?, more_operations), points = coalesce(?, points),"
                " answered_at = iif(answered_at = 0, ?, answered_at) WHERE sequence = ? AND state IN ('sent', 'answered')",
                (one.operation_id, one.reason, more, one.points, now, one.sequence),
            )
        else:
            _put_back(connection, one, now)


def _put_back(connection: sqlite3.Connection, one: Mark, now: float) -> None:
    """A fault waits twice as long each time; with the gateway away nothing waits but for its return."""
    row = connection.execute("SELECT faults FROM items WHERE sequence = ?", (one.sequence,)).fetchone()
    faults = row[0] + one.is_fault
    pause = min(_LONGEST_PAUSE, 2**faults) if one.is_fault else 0
    connection.execute(
        "UPDATE items SET state = 'journaled', tries = tries + 1, faults = ?, not_before = ?, reason = ?, detail = ?"
        " WHERE sequence = ? AND state = 'sent'",
        (faults, now + pause, one.reason, one.detail, one.sequence),
    )


def waits_for_earlier(connection: sqlite3.Connection, item: Item) -> bool:
    """Something said earlier about the same payment or reservation is on its way again."""
    earlier = "earlier.held = one.held AND earlier.sequence < one.sequence AND earlier.state IN ('journaled', 'sent')"
    found = f"SELECT 1 FROM items AS one JOIN items AS earlier ON {earlier} WHERE one.sequence = ? LIMIT 1"  # noqa: S608
    return connection.execute(found, (item.sequence,)).fetchone() is not None


def answered(connection: sqlite3.Connection, now: float, most: int) -> list[Item]:
    """Items whose end is awaited, those first that were asked about longest ago. The longer it takes, the more seldom it is asked about."""
    is_due = "abs(? - asked_at) >= min(?, (asked_at - answered_at) * ?)"  # a clock may be set back
    found = f"SELECT {_COLUMNS} FROM items WHERE state = 'answered' AND {is_due} ORDER BY asked_at LIMIT ?"  # noqa: S608
    return [_item(row) for row in connection.execute(found, (now, _LONGEST_PAUSE_SECONDS, _PAUSE_SHARE, most))]


def asked(connection: sqlite3.Connection, sequences: Iterable[int], now: float) -> None:
    connection.executemany("UPDATE items SET asked_at = ? WHERE sequence = ?", [(now, one) for one in sequences])


def _item(row: Sequence[object]) -> Item:
    sequence, kind, external_id, target, body, points, state, operation_id, outcome, reason, tries, faults, more, *last = row
    ended = None if outcome is None else Outcome(str(outcome))
    what = ItemKind(str(kind)), external_id, target, body, points, ItemState(str(state)), operation_id, ended, reason, tries, faults
    others = () if more is None else tuple(json.loads(str(more)))
    return Item(sequence, *what, others, *last)  # type: ignore[arg-type]  # as the schema has them
