"""A parent that forks its children, starts again those that die, and ends with them. It does nothing else and has one thread.

However the parent ends, the children end: each has the reading end of a pipe that closes with the parent.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

log = logging.getLogger(__name__)
ENDING_SECONDS = 15.0  # for children that are told to end
_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.1, 5.0
_SETTLED_SECONDS = 30.0  # who lived so long is started again at once
_HEARD = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD})


@dataclass(slots=True)
class _Child:
    main: Callable[[], None]
    pid: int | None = None
    born_at: float = 0.0
    delay: float = _FIRST_DELAY_SECONDS
    due_at: float = 0.0


class Family:
    """`mains` by name: what each child does; it ends when that returns."""

    def __init__(self, mains: Mapping[str, Callable[[], None]]) -> None:
        self._children = {name: _Child(main) for name, main in mains.items()}
        self._ends_with_parent, self._life = os.pipe()

    def run(self) -> None:
        """Until SIGTERM or SIGINT. Call it in a process that has one thread and no open connection: they would be the children's, too."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        try:
            while True:
                self._start_due()
                heard = signal.sigtimedwait(_HEARD, self._seconds_to_next())
                self._bury()
                if heard is not None and heard.si_signo != signal.SIGCHLD:
                    return
        finally:
            self._end()

    def _start_due(self) -> None:
        for name, child in self._children.items():
            if child.pid is None and child.due_at <= monotonic():
                child.pid, child.born_at = self._fork(name, child.main), monotonic()

    def _seconds_to_next(self) -> float:
        waits = [child.due_at - monotonic() for child in self._children.values() if child.pid is None]
        return max(0.01, min(waits, default=3_600.0))

    def _bury(self) -> None:
        for name, child in self._children.items():
            if child.pid is None or os.waitpid(child.pid, os.WNOHANG) == (0, 0):
                continue
            log.error("the process of the %s has ended and is started again", name)
            has_settled = monotonic() - child.born_at > _SETTLED_SECONDS
            child.delay = _FIRST_DELAY_SECONDS if has_settled else min(2 * child.delay, _LONGEST_DELAY_SECONDS)
            child.pid, child.due_at = None, monotonic() + child.delay

    def _end(self) -> None:
        alive = [child.pid for child in self._children.values() if child.pid is not None]
        for pid in alive:
            os.kill(pid, signal.SIGTERM)
        until = monotonic() + ENDING_SECONDS
        while alive and monotonic() < until:
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)
            alive = [pid for pid in alive if os.waitpid(pid, os.WNOHANG) == (0, 0)]
        for pid in alive:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _fork(self, name: str, main: Callable[[], None]) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            os.close(self._life)
            threading.Thread(target=self._end_with_parent, name="life of the parent", daemon=True).start()
            for number in _HEARD:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
            main()
            code = 0
        except Exception:
            log.exception("the %s ends", name)
        finally:
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _end_with_parent(self) -> None:
        os.read(self._ends_with_parent, 1)  # nobody writes: it returns when the parent is gone
        os._exit(1)
