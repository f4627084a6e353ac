"""What a gateway restored from an old backup no longer knows is told again: the same ids and content, in the same order for each payment.

The newest operation that it still knows says how old the backup is. What was answered after it, and for some time before, goes again;
whatever the gateway or the ledger has of it already is found there and happens once.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from gateway.brand_agent.gateway_client import ForwardingClient, GatewayAway
from gateway.brand_agent.item import ItemKind
from gateway.brand_agent.orders import order_request
from gateway.brand_agent.refused import NOTHING_LEFT
from gateway.brand_agent.till_journal import TillJournal

TOLD_AGAIN = "told_again"
SILENT_SECONDS = 1  # no gateway is stopped, put back from a backup and started within so little
_MARGIN_SECONDS = 900  # between what the gateway accepted and when its answer was written down here
_PAUSE_SECONDS = 60
_ORDERS_AT_ONCE = 100
_ORDER_SECONDS = 10  # what is about an order is taken once the order stands on the ledger


@dataclass(frozen=True, slots=True)
class AnsweredItem:
    """An item, and when it was answered, under which operation."""

    kind: ItemKind
    external_id: str
    operation_id: str | None
    at: float


class GatewaysMemory:
    """Whether the gateway still knows what it once answered. Any thread may ask."""

    _ASKED_OF = "operation_id IS NOT NULL"

    def __init__(self, journal: TillJournal, client: ForwardingClient, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._heard_at = 0.0
        self._told_at = 0.0
        self.losses = 0

    def heard(self) -> None:
        """The gateway has answered: what it knew a moment ago it knows now."""
        self._heard_at = self._clock()

    def unheard(self) -> None:
        """It was asked and did not answer: it is no longer known to be the one that it was."""
        self._heard_at = 0.0

    def check_after_silence(self) -> None:
        """Before anything new is told to a gateway that was away, or of which nothing was heard for a while. Raises GatewayAway."""
        if self._clock() - self._heard_at > SILENT_SECONDS:
            self.check()

    def check(self) -> None:
        """Asks for the newest operation. Raises GatewayAway."""
        newest = self._journal.write(lambda connection: self._newest(connection, None, 0))
        if newest is None or self._knows(newest):
            self.heard()
        else:
            self.tell_again(newest.at)

    def tell_again(self, unknown_at: float) -> None:
        """Of an operation that was answered then the gateway knows nothing. Raises GatewayAway."""
        with self._lock:
            if self._clock() - self._told_at < _PAUSE_SECONDS:
                return
            since = self._since(unknown_at)
            self._tell_orders(since)
            self._journal.write(lambda connection: _take_back(connection, since))
            self._told_at = self._clock()
            self.losses += 1
        self.heard()

    def _since(self, unknown_at: float) -> float:
        """From when on it may have lost something; operations further and further back are looked at."""
        offset = 0
        while (one := self._journal.write(lambda connection, at=offset: self._newest(connection, unknown_at, at))) is not None:  # type: ignore[misc]
            if self._knows(one):
                return one.at - _MARGIN_SECONDS
            offset = 2 * offset + 1
        return 0.0

    def _newest(self, connection: sqlite3.Connection, before: float | None, offset: int) -> AnsweredItem | None:
        found = connection.execute(
            "SELECT kind, external_id, operation_id, answered_at FROM items WHERE answered_at > 0 AND (answered_at < ? OR ? IS NULL)"  # noqa: S608
            f" AND {self._ASKED_OF} AND outcome IS NOT 'refused' ORDER BY answered_at DESC LIMIT 1 OFFSET ?",
            (before, before, offset),
        ).fetchone()
        return None if found is None else AnsweredItem(*found)

    def _knows(self, one: AnsweredItem) -> bool:
        answer = self._client.operation(str(one.operation_id))
        if answer.status == 404 and answer.code == "not_found":
            return False
        if answer.status != 200:
            raise GatewayAway(f"it does not say how an operation stands: {answer.code}")
        return True

    def _tell_orders(self, since: float) -> None:
        """What it had authorized or redeemed: captures and point refunds are about it. Whether it takes it is seen by those."""
        after = ""
        while some := self._journal.write(lambda connection, one=after: _orders(connection, since, one)):  # type: ignore[misc]
            for kind, order_id, body in some:
                path, named = order_request(kind, order_id)
                answer = self._client.post(path, body.encode(), named, _ORDER_SECONDS)
                if answer.status >= 500:
                    raise GatewayAway(f"it does not take order {order_id} again: {answer.code}")
                after = order_id


def _orders(connection: sqlite3.Connection, since: float, after: str) -> list[tuple[str, str, str]]:
    named = "accepted_at > 0 AND accepted_at >= ? AND order_id > ? ORDER BY order_id LIMIT ?"
    return connection.execute(f"SELECT kind, order_id, body FROM orders WHERE {named}", (since, after, _ORDERS_AT_ONCE)).fetchall()  # noqa: S608


def _take_back(connection: sqlite3.Connection, since: float) -> None:
    """What ended refused stays so, but for refunds of points that were spent, which the gateway may have carried on."""
    done = connection.execute(
        "UPDATE items SET state = 'journaled', operation_id = NULL, more_operations = NULL, outcome = NULL, reason = ?, detail = NULL,"
        " tries = tries + 1, faults = 0, not_before = 0, answered_at = 0 WHERE answered_at > 0 AND answered_at >= ?"
        " AND (state = 'answered' OR (state = 'ended' AND (outcome = 'confirmed' OR reason = ?)))",
        (TOLD_AGAIN, since, NOTHING_LEFT),
    )
    before = connection.execute("SELECT value FROM facts WHERE name = ?", (TOLD_AGAIN,)).fetchone()
    told = done.rowcount + (0 if before is None else int(before[0]))
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (TOLD_AGAIN, str(told)))
