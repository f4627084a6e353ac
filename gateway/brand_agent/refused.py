"""What ended refused, and the two ways out, as acts on the journal's connection: tried again, or dealt with by somebody who says how.

Who did it, and when, is journaled; nothing of it is ever taken back.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from gateway.brand_agent.item import Item, ItemKind, Outcome, Speaker
from gateway.brand_agent.outbox import find
from gateway.brand_agent.problems import TillRefused

_DEALT_WITH = "SELECT item FROM decisions WHERE act = 'dealt_with'"
NOTHING_LEFT = "nothing_left_to_claw_back"
"""The member has spent the points: the gateway keeps them as short, and nobody can put it right here."""
STILL_REFUSED = f"outcome = 'refused' AND reason IS NOT '{NOTHING_LEFT}' AND sequence NOT IN ({_DEALT_WITH})"
PAGE = 100


class Act(StrEnum):
    RETRY = "retry"
    DEALT_WITH = "dealt_with"


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """`sequence` is its place in the list."""

    sequence: int
    kind: str
    id: str
    till: str
    cashier: str | None
    reason: str | None
    detail: str | None
    operation_id: str | None
    journaled_at: int

    def view(self) -> dict[str, Any]:
        return asdict(self)


def still_refused(connection: sqlite3.Connection, after: int) -> list[RefusedItem]:
    """A page, oldest first: what nobody has tried again or dealt with."""
    columns = "sequence, kind, external_id, till, cashier, reason, detail, operation_id, journaled_at"
    page = f"SELECT {columns} FROM items WHERE {STILL_REFUSED} AND sequence > ? ORDER BY sequence LIMIT ?"  # noqa: S608
    return [RefusedItem(*row) for row in connection.execute(page, (after, PAGE))]


def refused_item(connection: sqlite3.Connection, kind: ItemKind, external_id: str) -> Item:
    """Raises TillRefused for what did not end refused, or was dealt with."""
    item = find(connection, kind, external_id)
    if item is None:
        raise TillRefused(404, "not_found", f"this agent was told of no {kind} {external_id}")
    if item.outcome is not Outcome.REFUSED:
        raise TillRefused(409, "not_refused", f"{kind} {external_id} is {item.outcome or item.state}: there is nothing to put right")
    if connection.execute(f"{_DEALT_WITH} AND item = ?", (item.sequence,)).fetchone() is not None:
        raise TillRefused(409, "dealt_with", f"{kind} {external_id} was marked as dealt with: tell what is still due under another id")
    return item


def deal_with(connection: sqlite3.Connection, item: Item, speaker: Speaker, note: str, now: int) -> None:
    """It stays refused, and is no alarm any more."""
    _journal(connection, item, Act.DEALT_WITH, speaker, note, now)


def send_again(connection: sqlite3.Connection, item: Item, speaker: Speaker, now: int) -> None:
    """It goes to the gateway as if it had just been told. For what the gateway made no operation of."""
    _journal(connection, item, Act.RETRY, speaker, "", now)
    connection.execute(
        "UPDATE items SET state = 'journaled', outcome = NULL, reason = NULL, detail = NULL, tries = tries + 1, faults = 0, not_before = 0"
        " WHERE sequence = ? AND outcome = 'refused'",
        (item.sequence,),
    )


def follow_again(connection: sqlite3.Connection, item: Item, speaker: Speaker, now: int) -> None:
    """The gateway tries its operations again: their end is awaited anew."""
    _journal(connection, item, Act.RETRY, speaker, "", now)
    connection.execute(
        "UPDATE items SET state = 'answered', outcome = NULL, reason = NULL, detail = NULL, asked_at = 0"
        " WHERE sequence = ? AND outcome = 'refused'",
        (item.sequence,),
    )


def times_tried(connection: sqlite3.Connection, item: Item) -> int:
    found: int = connection.execute("SELECT count(*) FROM decisions WHERE item = ? AND act = 'retry'", (item.sequence,)).fetchone()[0]
    return found


def _journal(connection: sqlite3.Connection, item: Item, act: Act, speaker: Speaker, note: str, now: int) -> None:
    what = item.sequence, act, speaker.till, speaker.cashier, item.reason, note, now
    connection.execute("INSERT INTO decisions (item, act, till, cashier, reason, note, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?)", what)
