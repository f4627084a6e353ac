"""Follows what the gateway has accepted to its end. An item ends by what its `Endings` say and by nothing else."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from gateway.brand_agent.forgotten import GatewaysMemory
from gateway.brand_agent.gateway_client import NAMED_AT_ONCE, ForwardingClient, GatewayAway
from gateway.brand_agent.group_writer import CannotWrite
from gateway.brand_agent.item import Item, Outcome
from gateway.brand_agent.outbox import Mark, answered, asked, mark
from gateway.brand_agent.parcels import end_of
from gateway.brand_agent.till_journal import TillJournal

_LOG = logging.getLogger(__name__)
Ending = tuple[Outcome | None, str | None]
"""(how it ended, or None where it is still open; the reason)"""
_AT_ONCE = 4_000
_ONE_BY_ONE_MAX = 20
_AWAY_SECONDS = 2
_CHECK_SECONDS = 60
UNKNOWN: Ending = (None, "not_found")
"""The gateway has no such operation: it had one, before it was restored from a backup."""


class Endings(Protocol):
    """Who knows how operations stand."""

    def of(self, items: Sequence[Item]) -> Mapping[str, Ending]:
        """Of their operations by id, as far as it is known; raises GatewayAway."""


class GatewaysWord:
    """Endings as the gateway tells them."""

    def __init__(self, client: ForwardingClient) -> None:
        self._client = client

    def of(self, items: Sequence[Item]) -> Mapping[str, Ending]:
        return {operation_id: end_of(operation) for operation_id, operation in self.operations(items).items()}

    def operations(self, items: Sequence[Item]) -> Mapping[str, Mapping[str, Any]]:
        """As many as the gateway gives at once, and a few of those that it does not give one by one."""
        wanted = list(dict.fromkeys(operation_id for item in items for operation_id in item.operation_ids))
        found: dict[str, Mapping[str, Any]] = {}
        for some in (wanted[at : at + NAMED_AT_ONCE] for at in range(0, len(wanted), NAMED_AT_ONCE)):
            told = {str(operation.get("operation_id")): operation for operation in self._client.operations(some)}
            found |= {one: told[one] for one in some if one in told}
        missing = [one for one in wanted if one not in found]
        for operation_id in missing[:_ONE_BY_ONE_MAX]:
            answer = self._client.operation(operation_id)
            found[operation_id] = answer.body if answer.status == 200 else {"reason": answer.code}
        return found


class EndsFollower(ABC):
    """Asks again and again, as long as something is awaited."""

    def __init__(self, journal: TillJournal, memory: GatewaysMemory | None, every_seconds: float = 0.5) -> None:
        self._journal = journal
        self._memory = memory
        self._checked_at = time.monotonic()
        self._every = every_seconds
        self._reader = journal.reader()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self._reader.close()

    @abstractmethod
    def turn(self) -> int:
        """How many items have ended. Raises GatewayAway and CannotWrite."""

    def _check_now_and_then(self) -> None:
        if self._memory is not None and time.monotonic() - self._checked_at > _CHECK_SECONDS:
            self._checked_at = time.monotonic()
            self._memory.check()

    def _run(self) -> None:
        pause = self._every
        while not self._ending.wait(pause):
            try:
                self._check_now_and_then()
                self.turn()
                pause = self._every
            except (GatewayAway, CannotWrite):
                pause = _AWAY_SECONDS
            except Exception:  # a mistake of ours about some items is no reason to follow none any more
                _LOG.exception("how items have ended could not be found")
                pause = _AWAY_SECONDS


class OutcomeFollower(EndsFollower):
    """By operations."""

    def __init__(self, journal: TillJournal, endings: Endings, memory: GatewaysMemory | None = None, every_seconds: float = 0.5) -> None:
        super().__init__(journal, memory, every_seconds)
        self._endings = endings

    def turn(self) -> int:
        items = answered(self._reader, time.time(), _AT_ONCE)
        if not items:
            return 0
        endings = self._endings.of(items)
        known = {
            item.sequence: _together([endings[one] for one in item.operation_ids])
            for item in items
            if endings.keys() >= {*item.operation_ids}
        }
        news = [Mark(item.sequence, item.operation_id, *known[item.sequence]) for item in items if _is_news(item, known)]

        def act(connection: sqlite3.Connection) -> None:
            mark(connection, news, time.time())
            asked(connection, known, time.time())

        self._journal.write(act)
        self._look_for_losses(items, endings)
        return sum(one.outcome is not None for one in news)

    def _look_for_losses(self, items: Sequence[Item], endings: Mapping[str, Ending]) -> None:
        lost = [item.answered_at for item in items if any(endings.get(one) == UNKNOWN for one in item.operation_ids)]
        if lost and self._memory is not None:
            self._memory.tell_again(min(lost))


def _together(endings: Sequence[Ending]) -> Ending:
    """What came of an item has ended once all its operations have; it is refused if any of them is."""
    open_ones = [reason for outcome, reason in endings if outcome is None]
    if open_ones:
        return None, next((reason for reason in open_ones if reason), None)
    refused = [one for one in endings if one[0] is Outcome.REFUSED]
    return refused[0] if refused else endings[0]


def _is_news(item: Item, known: Mapping[int, Ending]) -> bool:
    outcome, reason = known.get(item.sequence, (None, item.reason))
    return outcome is not None or reason != item.reason
