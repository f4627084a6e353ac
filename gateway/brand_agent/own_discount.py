"""With the gateway away: a discount up to the floor limit as the brand's own, without an entry. No points are taken for that order, ever.

Only for an order of which the gateway cannot have heard; nobody else asks for it meanwhile.
"""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from gateway.brand_agent.item import Speaker
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_signer.register_writer import void_record
from gateway.values.money import Ratio
from gateway.values.points import Points

_COLUMNS = "order_id, member_id, points, discount_minor, day"
OWN_DISCOUNT = "own_discount"
SEVERAL_ASKED = -1
"""Of an order that was asked for more than once, or by a process that did not learn what came of it."""


@dataclass(frozen=True, slots=True)
class FloorLimit:
    """In minor units: of one redemption, and of all of a day. `redemption` prices points, where the brand's own settings say how."""

    each_minor: int
    day_minor: int
    redemption: Ratio | None


@dataclass(frozen=True, slots=True)
class OwnDiscount:
    order_id: str
    member_id: str
    points: int
    discount_minor: int
    day: str

    def view(self) -> dict[str, Any]:
        """`points` are what the member would have paid, and keeps."""
        return {"outcome": OWN_DISCOUNT, **asdict(self)}


@dataclass(frozen=True, slots=True)
class WantedDiscount:
    """What a till asks for by an order; `stated_minor` is the discount that it names. `ask_id` is that of the one try."""

    order_id: str
    member_id: str
    points: Points
    stated_minor: int
    ask_id: int


def given_for(connection: sqlite3.Connection, order_id: str) -> OwnDiscount | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM own_discounts WHERE order_id = ?", (order_id,)).fetchone()  # noqa: S608
    return None if row is None else OwnDiscount(*row)


def give(
    connection: sqlite3.Connection, asked: WantedDiscount, limit: FloorLimit, lines: RecordLines, speaker: Speaker, day: str, now: int
) -> OwnDiscount | str:
    """The discount, journaled; or why there is none: maybe_asked, over_floor_limit, day_limit_used."""
    (asked_by,) = connection.execute("SELECT asked_by FROM orders WHERE order_id = ?", (asked.order_id,)).fetchone()
    if asked_by != asked.ask_id:
        return "maybe_asked"
    connection.execute("UPDATE orders SET asked_by = 0 WHERE order_id = ?", (asked.order_id,))
    discount_minor = asked.stated_minor if limit.redemption is None else limit.redemption.minor_for(asked.points)
    if discount_minor > limit.each_minor:
        return "over_floor_limit"
    if count_of(connection, day)[1] + discount_minor > limit.day_minor:
        return "day_limit_used"
    given = OwnDiscount(asked.order_id, asked.member_id, asked.points, discount_minor, day)
    what = given.order_id, given.member_id, given.points, given.discount_minor, day
    connection.execute("INSERT INTO own_discounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*what, speaker.till, speaker.cashier, now))
    lines.add(connection, void_record(f"own-discount:{asked.order_id}", asked.order_id, asked.member_id))  # nothing is signed for it
    return given


def count_of(connection: sqlite3.Connection, day: str, till: str | None = None) -> tuple[int, int]:
    """(how many on a day, their sum), of one till or of all."""
    sums = "SELECT count(*), coalesce(sum(discount_minor), 0) FROM own_discounts WHERE day = ? AND (till = ? OR ? IS NULL)"
    found: tuple[int, int] = connection.execute(sums, (day, till, till)).fetchone()
    return found
