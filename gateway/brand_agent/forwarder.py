"""Sends the outbox to the gateway, and waits for its return where it is away. What fails delays nothing but what it is about."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gateway.brand_agent.forgotten import GatewaysMemory
from gateway.brand_agent.gateway_client import ForwardingClient, GatewayAway, GatewaySilent, NoAnswerOfGateways, NotTheGateway
from gateway.brand_agent.group_writer import CannotWrite
from gateway.brand_agent.item import Item, ItemKind
from gateway.brand_agent.outbox import Mark, mark, take, take_back_what_was_sent, waits_for_earlier
from gateway.brand_agent.parcels import NOT_THERE, NOTHING_AUTHORIZED, Parcel, marks_of, most_in
from gateway.brand_agent.till_journal import TillJournal

_LOG = logging.getLogger(__name__)
_PROBE_MAX = 10
_PAUSES = (0.25, 0.5, 1, 2, 4, 8)
_SLOW_SECONDS = 2  # for so long new items wait for the answer about those before them: the fewer parcels, the less each item costs
_IDLE_SECONDS = 0.5
_QUIET_SECONDS = 10  # after so long without a word of the gateway it is asked for one
_Lane = tuple[ItemKind, bool]  # a kind's new items, or those of it that failed before
_LANES: tuple[_Lane, ...] = tuple((kind, troubled) for troubled in (False, True) for kind in ItemKind)


@dataclass
class Reach:
    """Whether the gateway is to be had, as far as the last try told. `is_other`: something else answers at its URL."""

    away_since: float | None = None
    reason: str | None = None
    failures: int = 0
    try_again_at: float = 0
    is_other: bool = False


class Forwarder:
    """One thread decides, a few send."""

    def __init__(self, journal: TillJournal, client: ForwardingClient, memory: GatewaysMemory) -> None:
        self._journal = journal
        self._client = client
        self._memory = memory
        self._lock = threading.Lock()
        self._under_way: Counter[_Lane] = Counter()
        self._begun: dict[_Lane, float] = {}
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(8, "to-gateway")
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)
        self._asked_at = time.monotonic()
        self._is_greeting = False
        self.reach = Reach()

    def start(self) -> None:
        self._journal.write(take_back_what_was_sent)
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._wake.set()

    @property
    def is_away(self) -> bool:
        """Whether the gateway was not reached last."""
        return self.reach.away_since is not None

    def close(self) -> None:
        """What is under way is waited for."""
        self._ending.set()
        self._wake.set()
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.clear()
            try:
                is_busy = self._dispatch()
            except CannotWrite:
                is_busy = False
            if not is_busy:
                self._greet_after_quiet()
                self._wake.wait(_IDLE_SECONDS)

    def _dispatch(self) -> bool:
        lanes = self._free_lanes()
        if not lanes:
            return False
        taken = self._journal.write(lambda connection: self._take(connection, lanes))
        for lane, items in taken:
            with self._lock:
                self._under_way[lane] += 1
                self._begun[lane] = time.monotonic()
            self._pool.submit(self._send, Parcel(lane[0], items), lane)
        return bool(taken)

    def _greet_after_quiet(self) -> None:
        """With nothing to send, whether the gateway is there is asked for its own sake, whether it was there or away."""
        with self._lock:
            is_due = time.monotonic() - self._asked_at > _QUIET_SECONDS or 0 < self.reach.try_again_at < time.time()
            if not is_due or self._is_greeting or self._under_way.total():
                return
            self._is_greeting, self._asked_at = True, time.monotonic()
        self._pool.submit(self._greet)

    def _greet(self) -> None:
        try:
            self._client.greet()
            with self._lock:
                self.reach = Reach()
        except GatewayAway as away:
            self._is_away(away)
        finally:
            with self._lock:
                self._is_greeting = False
            self._wake.set()

    def _free_lanes(self) -> list[_Lane]:
        """Where another parcel may go; with the gateway away one at a time, and none before its pause is over."""
        with self._lock:
            is_waiting = time.time() < self.reach.try_again_at or self._under_way.total() or self._is_greeting
            if self.reach.away_since is not None and is_waiting:
                return []
            return [lane for lane in _LANES if self._is_free(lane)]

    def _is_free(self, lane: _Lane) -> bool:
        """Of what failed before, one parcel goes at a time; of new items two if they cannot share one or the answer is long in coming."""
        kind, is_troubled = lane
        is_slow = time.monotonic() - self._begun.get(lane, 0) > _SLOW_SECONDS
        return self._under_way[lane] < (2 if not is_troubled and (is_slow or self._most_in(kind) == 1) else 1)

    def _take(self, connection: sqlite3.Connection, lanes: Sequence[_Lane]) -> list[tuple[_Lane, list[Item]]]:
        is_away, now = self.reach.away_since is not None, time.time()
        taken = []
        for lane in lanes:
            most = min(self._most_in(lane[0]), _PROBE_MAX) if is_away else self._most_in(lane[0])
            items = take(connection, lane[0], now, most, troubled=lane[1])
            if items:
                taken.append((lane, items))
                if is_away:
                    break
        return taken

    def _send(self, parcel: Parcel, lane: _Lane) -> None:
        try:
            try:
                marks = self._ask(parcel)
            except Exception:  # a mistake of ours about these items is no reason to hold them, or others, for good
                _LOG.exception("items of kind %s could not be sent", parcel.kind)
                marks = [Mark(item.sequence, reason="internal", is_fault=True) for item in parcel.items]
            self._keep(marks)
        finally:
            with self._lock:
                self._under_way[lane] -= 1
            self._wake.set()

    def _keep(self, marks: Sequence[Mark]) -> None:
        """Until they are on disk: nobody else takes up what was sent before the next start."""
        is_over = False
        while not is_over:
            try:
                self._journal.write(lambda connection: mark(connection, marks, time.time()))
                is_over = True
            except CannotWrite:
                is_over = self._ending.wait(_IDLE_SECONDS)

    def _ask(self, parcel: Parcel) -> list[Mark]:
        self._asked_at = time.monotonic()
        try:
            self._memory.check_after_silence()
            losses = self._memory.losses
            marks = self._believed(parcel, self._told(parcel), losses)
        except GatewayAway as away:
            self._is_away(away)
            is_fault = isinstance(away, GatewaySilent | NoAnswerOfGateways)
            return [Mark(item.sequence, reason=str(away), is_fault=is_fault) for item in parcel.items]
        except CannotWrite as full:  # looks into the journal share a commit with what finds no room
            return [Mark(item.sequence, reason=str(full)) for item in parcel.items]
        self._memory.heard()
        with self._lock:
            self.reach = Reach()
        return marks

    def _most_in(self, kind: ItemKind) -> int:
        return most_in(kind)

    def _told(self, parcel: Parcel) -> list[Mark]:
        """What the answer says of each item. Raises GatewayAway."""
        return marks_of(parcel, self._client.post(parcel.path, parcel.content, parcel.idempotency_key))

    def _believed(self, parcel: Parcel, marks: list[Mark], losses: int) -> list[Mark]:
        """That something is not there is no end of an item, where the gateway has forgotten what that was. Raises GatewayAway."""
        missing = {one.sequence for one in marks if one.reason in (NOT_THERE, NOTHING_AUTHORIZED) and one.outcome is not None}
        if not missing:
            return marks
        self._memory.check()
        is_lost = self._memory.losses != losses

        def waiting(connection: sqlite3.Connection) -> set[int]:
            return {one.sequence for one in parcel.items if one.sequence in missing and (is_lost or waits_for_earlier(connection, one))}

        later = self._journal.write(waiting)
        return [Mark(one.sequence, reason=one.reason, is_fault=True, detail=one.detail) if one.sequence in later else one for one in marks]

    def _is_away(self, away: GatewayAway) -> None:
        self._memory.unheard()
        now = time.time()
        with self._lock:
            before = self.reach
            pause = max(away.retry_after, _PAUSES[min(before.failures, len(_PAUSES) - 1)])
            since = before.away_since if before.away_since is not None else now
            self.reach = Reach(since, str(away), before.failures + 1, now + min(pause, 60), type(away) is NotTheGateway)
