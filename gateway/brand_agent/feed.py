"""The shop's feed: what it posts to the gateway itself is read from its own database, so that the agent can sign it.

Each turn reads what is new and a little before; now and then the whole overlap is read, which finds what was committed late and
what is gone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.brand_agent.config import FeedConfig
from gateway.brand_agent.feed_lines import FeedLines, ids_since, newest
from gateway.brand_agent.group_writer import CannotWrite
from gateway.brand_agent.shop_database import FeedRow, ShopDatabase, ShopDatabaseFails
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_signer.sign_batch import BatchSigner

_PAGES_MAX = 1_000
_LONGEST_PAUSE_SECONDS = 60
_FULL_READINGS_AN_OVERLAP = 4
Page = Callable[[float, int], list[FeedRow]]


@dataclass(frozen=True, slots=True)
class FeedStanding:
    """`read_at`: when it was last read to its end. `failing_since` and `reason`: while its database cannot be read."""

    read_at: float | None = None
    failing_since: float | None = None
    reason: str | None = None
    failures: int = 0

    def view(self) -> dict[str, Any]:
        return asdict(self)


class Feed:
    """One thread. A database that fails is tried again, later each time, and holds up nothing else."""

    def __init__(self, config: FeedConfig, journal: TillJournal, lines: FeedLines, signer: BatchSigner) -> None:
        self._config = config
        self._journal = journal
        self._lines = lines
        self._signer = signer
        self._database = ShopDatabase(config.url, config.query, config.query_seconds)
        self._full_at = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self.standing = FeedStanding()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def turn(self, *, whole: bool) -> int:
        """Reads to the end; how many rows were new, changed or gone. Raises ShopDatabaseFails and CannotWrite."""
        last = self._journal.write(newest)
        back = self._config.overlap_seconds if whole else min(self._config.overlap_seconds, 2 * self._config.every_seconds)
        since = 0.0 if last is None else last - back
        seen, changed = set[str](), 0
        with self._database.reading() as page:
            for rows in self._pages(page, since):
                seen.update(row.id for row in rows)
                changed += self._keep(rows)
        if whole and last is not None:
            gone = self._journal.write(lambda connection: ids_since(connection, since)) - seen
            changed += self._take_away(gone) if gone else 0
        self.standing = FeedStanding(read_at=time.time())
        return changed

    def _pages(self, page: Page, since: float) -> Iterator[list[FeedRow]]:
        most = self._config.rows_max
        for _ in range(_PAGES_MAX):
            rows = page(since, most)
            yield rows
            if len(rows) < most:
                return
            if rows[-1].changed_at <= since:
                raise ShopDatabaseFails(f"{most} rows have one changed_at: raise agent.feed.rows_max")
            since = rows[-1].changed_at
            if self._ending.is_set():
                raise ShopDatabaseFails("the agent ends")
        raise ShopDatabaseFails(f"more than {_PAGES_MAX * most} rows at once: they are read on in the next turn")

    def _keep(self, rows: list[FeedRow]) -> int:
        """While nothing is signed: what a row says is what is signed, or it is known that something else was."""
        with self._signer.at_rest() as signed:
            return self._journal.write(lambda connection: self._lines.take(connection, rows, signed))

    def _take_away(self, gone: set[str]) -> int:
        with self._signer.at_rest() as signed:
            return self._journal.write(lambda connection: self._lines.take_away(connection, sorted(gone), signed))

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                whole = time.monotonic() >= self._full_at
                self.turn(whole=whole)
                if whole:
                    self._full_at = time.monotonic() + self._config.overlap_seconds / _FULL_READINGS_AN_OVERLAP
                pause: float = self._config.every_seconds
            except (ShopDatabaseFails, CannotWrite) as failed:
                pause = self._note_failure(str(failed))
            self._ending.wait(pause)

    def _note_failure(self, reason: str) -> float:
        before = self.standing
        since = before.failing_since if before.failing_since is not None else time.time()
        self.standing = replace(before, failing_since=since, reason=reason, failures=before.failures + 1)
        pause: int = self._config.every_seconds << min(before.failures, 6)
        return min(_LONGEST_PAUSE_SECONDS, pause)
