"""What an addressee's agent, restored from an old backup or made anew, no longer knows of evidence is told it again.

All that was counted stays in the journal, by when that was heard. It is asked for the newest of it before anything is told after a silence,
and once a minute otherwise; where it does not know that, further and further back. It has lost what came after the newest that it knows.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from gateway.brand_agent.evidence import EvidenceDocument
from gateway.brand_agent.evidence_post import AddresseeAway, EvidencePost
from gateway.brand_agent.till_journal import TillJournal

_SILENT_SECONDS = 1  # no agent is stopped, put back from a backup and started within so little
_ASKED_EVERY_SECONDS = 60
_BELIEVED_AGAIN_SECONDS, _BELIEVED_AGAIN_MAX = 60, 3_600  # after a loss, and after each one that follows it within a day twice as long
_DAY = 86_400
_TAKEN_BACK_AT_ONCE = 2_000  # tills write to the same journal
_AGAIN = "evidence_again_to_"
_Counted = tuple[float, int, EvidenceDocument | None]
"""When its being counted was heard, its item, and what was told of it."""


class AddresseesMemory:
    """`document` makes of an item what is told of it; its order in the journal is that in which the addressee counted."""

    def __init__(
        self,
        addressee_id: int,
        journal: TillJournal,
        post: EvidencePost,
        document: Callable[[sqlite3.Connection, int], EvidenceDocument | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._addressee_id = addressee_id
        self._journal = journal
        self._post = post
        self._document = document
        self._clock = clock
        self._heard_at = 0.0
        self._asked_at = 0.0
        self._lost_at = 0.0
        self._believed_after = 0.0

    def heard(self) -> None:
        """It has counted something: what it knew a moment ago it knows now."""
        self._heard_at = self._clock()

    def unheard(self) -> None:
        """It was told something and did not say: it is no longer known to be the one that it was."""
        self._heard_at = 0.0

    def has_lost_some(self, *, is_telling: bool) -> bool:
        """Whether something is to be told again, which then waits like all that was never told. Raises AddresseeAway."""
        now = self._clock()
        if now - self._heard_at <= _SILENT_SECONDS:
            return False
        if not is_telling and now - max(self._heard_at, self._asked_at) <= _ASKED_EVERY_SECONDS:
            return False
        self._asked_at = now
        offset, known = 0, (-1.0, 0)
        while (one := self._journal.write(lambda connection, at=offset: self._counted(connection, at))) is not None:  # type: ignore[misc]
            if one[2] is not None and self._post.is_counted(one[2]):
                known = one[:2]
                break
            offset = 2 * offset + 1
        if offset:
            self._note_loss(now)
            while self._journal.write(lambda connection: self._take_back(connection, known)) == _TAKEN_BACK_AT_ONCE:
                pass
        self.heard()
        return offset > 0

    def _note_loss(self, now: float) -> None:
        """One that loses again and again is told again ever more seldom: its word alone costs work here."""
        since = now - self._lost_at
        if since < self._believed_after:
            raise AddresseeAway(f"it has lost again what it counted: it is told once more in {self._believed_after - since:.0f} s")
        doubled = min(2 * self._believed_after, _BELIEVED_AGAIN_MAX) if since < _DAY else 0
        self._lost_at, self._believed_after = now, max(doubled, _BELIEVED_AGAIN_SECONDS)

    def _counted(self, connection: sqlite3.Connection, offset: int) -> _Counted | None:
        found = (
            "SELECT told_at, item FROM evidence_sent WHERE addressee = ? AND outcome = 'counted' ORDER BY told_at DESC, item DESC"
            " LIMIT 1 OFFSET ?"
        )
        row = connection.execute(found, (self._addressee_id, offset)).fetchone()
        return None if row is None else (row[0], row[1], self._document(connection, row[1]))

    def _take_back(self, connection: sqlite3.Connection, known: tuple[float, int]) -> int:
        """Some, the newest first: what is left after a kill is found lost again. What ended refused stays so."""
        some = (
            "SELECT item FROM evidence_sent WHERE addressee = ? AND outcome = 'counted' AND (told_at, item) > (?, ?)"
            " ORDER BY told_at DESC, item DESC LIMIT ?"
        )
        done = connection.execute(
            f"UPDATE evidence_sent SET outcome = NULL, reason = NULL, not_before = 0 WHERE addressee = ? AND item IN ({some})",  # noqa: S608
            (self._addressee_id, self._addressee_id, *known, _TAKEN_BACK_AT_ONCE),
        )
        told = told_again(connection, self._addressee_id) + done.rowcount
        connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (f"{_AGAIN}{self._addressee_id}", str(told)))
        return done.rowcount


def told_again(connection: sqlite3.Connection, addressee_id: int) -> int:
    """How much an addressee was told once more, because it did not know of it any more."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (f"{_AGAIN}{addressee_id}",)).fetchone()
    return 0 if row is None else int(row[0])
