"""One thread writes the journal: what waits together is committed together, and a caller goes on once its part is on disk."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

_T = TypeVar("_T")
_GROUP_MAX = 500


class CannotWrite(Exception):
    """The journal takes nothing: its disk is full or gone. Nothing of the group was kept."""


@dataclass(frozen=True, slots=True)
class _Part:
    act: Callable[[sqlite3.Connection], Any]
    done: Future[Any]


class GroupWriter:
    """Acts on one connection. An act that raises leaves nothing behind and disturbs no other."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._parts: queue.SimpleQueue[_Part | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def submit(self, act: Callable[[sqlite3.Connection], _T]) -> Future[_T]:
        """What the act gives, once that is on disk."""
        done: Future[_T] = Future()
        self._parts.put(_Part(act, done))
        return done

    def write(self, act: Callable[[sqlite3.Connection], _T]) -> _T:
        return self.submit(act).result()

    def close(self) -> None:
        """Writes what waits, then ends."""
        self._parts.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        while (first := self._parts.get()) is not None:
            group, last = [first], False
            while len(group) < _GROUP_MAX and not self._parts.empty():
                part = self._parts.get()
                if part is None:
                    last = True
                    break
                group.append(part)
            self._commit([part for part in group if part.done.set_running_or_notify_cancel()])
            if last:
                return

    def _commit(self, group: list[_Part]) -> None:
        ended: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for part in group:
                ended.append((part.done, *self._apart(part)))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            fault = CannotWrite(f"the journal cannot be written ({error}): make room on its disk")
            ended = [(part.done, None, fault) for part in group]
        for done, value, wrong in ended:
            done.set_exception(wrong) if wrong is not None else done.set_result(value)

    def _apart(self, part: _Part) -> tuple[Any, BaseException | None]:
        self._connection.execute("SAVEPOINT part")
        try:
            value = part.act(self._connection)
        except sqlite3.OperationalError:
            raise
        except Exception as wrong:
            self._connection.execute("ROLLBACK TO part")
            self._connection.execute("RELEASE part")
            return None, wrong
        self._connection.execute("RELEASE part")
        return value, None
