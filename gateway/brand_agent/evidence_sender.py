"""Tells one other issuer's agent of this brand's sales and of what goes back for them, as evidence signed for it alone.

The journal's items are what is told, from when the addressee was first named on. What was told, and how it was taken, is on disk: an agent
that is killed sends again what it had no answer to, to the byte, and what an addressee has lost (evidence_memory.py). What is about one
payment goes in its order, and delays nothing else.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from gateway.bodies.purchases import PaymentRefundBody, PurchaseBody, RefundFailureBody
from gateway.brand_agent.evidence import TEXT_LENGTH_MAX, EvidenceDocument, EvidenceKind
from gateway.brand_agent.evidence_memory import AddresseesMemory, told_again
from gateway.brand_agent.evidence_post import Addressee, AddresseeAway, EvidencePost, Taking, Telling
from gateway.brand_agent.group_writer import CannotWrite
from gateway.brand_agent.item import Item, ItemKind
from gateway.brand_agent.outbox import find, item_at
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_signer.key import Key
from gateway.ledger.signing import Domain
from gateway.values.money import AmountMinor
from gateway.values.references import BY_EVIDENCE

_KINDS = {
    ItemKind.PURCHASE: EvidenceKind.SALE,
    ItemKind.PAYMENT_REFUND: EvidenceKind.PAYMENT_REFUND,
    ItemKind.REFUND_FAILURE: EvidenceKind.REFUND_FAILURE,
}
_NEW = (
    "FROM items WHERE sequence > ? AND kind IN ('purchase', 'payment_refund', 'refund_failure')"
    f" AND external_id NOT GLOB '{BY_EVIDENCE}*'"  # what another brand's evidence said is not passed on
)
_FACT = "evidence_to_"
_AT_ONCE = 50
_IDLE_SECONDS = 0.5
_LONGEST_PAUSE, _DOUBLED_MAX = 300, 6


@dataclass(frozen=True, slots=True)
class Troubles:
    """What stands in the way, as far as the last answer told."""

    since: float | None = None
    reason: str | None = None
    failures: int = 0


_Silence = tuple[Telling | None, str | None]
"""Nothing is told of it, or (None) not now."""


@dataclass(frozen=True, slots=True)
class _Due:
    """`item`: its sequence."""

    item: int
    tries: int
    what: EvidenceDocument | _Silence


_Mark = tuple[_Due, Taking]


class EvidenceSender:
    """One for each addressee, with a thread of its own."""

    def __init__(self, addressee: Addressee, key: Key, journal: TillJournal, domain: Domain, brand_id: int) -> None:
        self._to = addressee
        self._journal = journal
        self._domain = domain
        self._brand_id = brand_id
        self._post = EvidencePost(addressee, key, domain)
        self._memory = AddresseesMemory(addressee.brand_id, journal, self._post, self._counted_document)
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.troubles = Troubles()

    @property
    def addressee_id(self) -> int:
        return self._to.brand_id

    def start(self) -> None:
        self.begin()
        self._thread = threading.Thread(target=self._run, name=f"evidence-{self.addressee_id}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        self._post.close()
        if self._thread is not None:
            self._thread.join()

    def begin(self) -> None:
        """Nothing is told of what was before this addressee was named."""
        noted = "INSERT OR IGNORE INTO facts SELECT ?, coalesce(max(sequence), 0) FROM items"
        self._journal.write(lambda connection: connection.execute(noted, (self._fact,)))

    def turn(self) -> bool:
        """Whether there may be more to do at once. Raises CannotWrite."""
        due = self._journal.write(self._due)
        try:
            if self._memory.has_lost_some(is_telling=any(isinstance(each.what, EvidenceDocument) for each in due)):
                return True
        except AddresseeAway as away:
            if due:
                self._note(Taking(None, str(away), is_away=True))
            return False
        marks: list[_Mark] = []
        for each in due:
            if self._ending.is_set() or (marks and marks[-1][1].is_away):
                break
            marks.append((each, self._post.tell(each.what) if isinstance(each.what, EvidenceDocument) else Taking(*each.what)))
        if marks:
            self._note(marks[-1][1])
            self._journal.write(lambda connection: self._keep(connection, marks, time.time()))
        return bool(marks) and not marks[-1][1].is_away

    def pause_after(self, *, is_busy: bool) -> float:
        return 0.0 if is_busy else _IDLE_SECONDS * 2 ** min(_DOUBLED_MAX, self.troubles.failures)

    def _run(self) -> None:
        pause = 0.0
        while not self._ending.wait(pause):
            try:
                pause = self.pause_after(is_busy=self.turn())
            except CannotWrite:
                pause = _IDLE_SECONDS

    def _due(self, connection: sqlite3.Connection) -> list[_Due]:
        """Takes note of what is new; what is to be told now. A sale waits for nothing, what follows it for all before it."""
        seen = _seen(connection, self.addressee_id)
        newest = connection.execute("SELECT coalesce(max(sequence), 0) FROM items").fetchone()[0]
        if newest > seen:
            noted = f"INSERT INTO evidence_sent (addressee, item, kind, held) SELECT ?, sequence, kind, held {_NEW}"
            connection.execute(noted, (self.addressee_id, seen))
            connection.execute("UPDATE facts SET value = ? WHERE name = ?", (str(newest), self._fact))
        rows = connection.execute(
            "SELECT item, tries FROM evidence_sent AS one WHERE addressee = ? AND outcome IS NULL AND not_before <= ?"
            " AND (kind = 'purchase' OR NOT EXISTS (SELECT 1 FROM evidence_sent AS first WHERE first.addressee = one.addressee"
            " AND first.held = one.held AND first.outcome IS NULL AND (first.kind = 'purchase' OR first.item < one.item)))"
            " ORDER BY item LIMIT ?",
            (self.addressee_id, time.time(), _AT_ONCE),
        ).fetchall()
        return [_Due(sequence, tries, self._evidence(connection, item_at(connection, sequence))) for sequence, tries in rows]

    def _counted_document(self, connection: sqlite3.Connection, item: int) -> EvidenceDocument | None:
        """As it was told, where something was."""
        found = self._evidence(connection, item_at(connection, item))
        return found if isinstance(found, EvidenceDocument) else None

    def _evidence(self, connection: sqlite3.Connection, item: Item) -> EvidenceDocument | _Silence:
        """What is told of an item, or why nothing is."""
        kind, followed = _KINDS[item.kind], None
        if kind is not EvidenceKind.SALE:
            refund = find(connection, ItemKind.PAYMENT_REFUND, item.external_id)
            if refund is None:
                return Telling.NOTHING, "its payment refund stands in the register alone"
            followed = PaymentRefundBody.model_validate_json(refund.body)
        bought = find(connection, ItemKind.PURCHASE, item.external_id if followed is None else followed.payment_id)
        if bought is None:
            return None, "its sale was not told to this agent yet"
        purchase = PurchaseBody.model_validate_json(bought.body)
        paid = AmountMinor(purchase.gross_minor - purchase.paid_with_points_minor)
        if purchase.member_id is None or not paid:
            return Telling.NOTHING, None
        if kind is not EvidenceKind.SALE and self._told(connection, bought) is not Telling.COUNTED:
            return Telling.NOTHING, None
        said = RefundFailureBody.model_validate_json(item.body) if kind is EvidenceKind.REFUND_FAILURE else followed or purchase
        what = kind, item.external_id, paid if followed is None else followed.amount_minor, int(said.occurred_at.timestamp())
        try:
            return self._document(purchase, *what)
        except ValidationError:
            return Telling.NOTHING, "its moment is none that evidence may have"

    def _document(
        self, purchase: PurchaseBody, kind: EvidenceKind, external_id: str, amount_minor: AmountMinor, occurred_at: int
    ) -> EvidenceDocument:
        lines = purchase.lines if self._to.lines_consent and kind is EvidenceKind.SALE else ()
        assert purchase.member_id is not None
        made = EvidenceDocument(
            sold_by=self._brand_id,
            addressee=self.addressee_id,
            chain_id=self._domain.chain_id,
            contract=str(self._domain.verifying_contract),
            kind=kind,
            id=external_id,
            payment_id=purchase.payment_id,
            member_id=purchase.member_id,
            currency=purchase.currency,
            amount_minor=amount_minor,
            occurred_at=occurred_at,
            consent=self._to.lines_consent if lines else None,
            lines=lines,
        )
        return made if len(made.text()) <= TEXT_LENGTH_MAX else made.without_lines()

    def _told(self, connection: sqlite3.Connection, item: Item) -> Telling | None:
        found = "SELECT outcome FROM evidence_sent WHERE addressee = ? AND item = ?"
        row = connection.execute(found, (self.addressee_id, item.sequence)).fetchone()
        return None if row is None or row[0] is None else Telling(row[0])

    def _keep(self, connection: sqlite3.Connection, marks: Sequence[_Mark], now: float) -> None:
        for due, told in marks:
            not_before = now + (0 if told.outcome else min(_LONGEST_PAUSE, 2 ** min(_DOUBLED_MAX + 3, due.tries)))
            connection.execute(
                "UPDATE evidence_sent SET outcome = ?, reason = ?, tries = tries + 1, not_before = ?, told_at = ?"
                " WHERE addressee = ? AND item = ?",
                (told.outcome, told.reason, not_before, now, self.addressee_id, due.item),
            )

    def _note(self, last: Taking) -> None:
        if last.is_away:
            self._memory.unheard()
        elif last.outcome in (Telling.COUNTED, Telling.REFUSED):
            self._memory.heard()
        before = self.troubles
        self.troubles = Troubles(before.since or time.time(), last.reason, before.failures + 1) if last.is_away else Troubles()

    @property
    def _fact(self) -> str:
        return f"{_FACT}{self.addressee_id}"


def forget_others(connection: sqlite3.Connection, addressee_ids: Iterable[int]) -> None:
    """Of whom the settings do not name: should it be named again, nothing is told of the time in between."""
    named = [f"{_FACT}{each}" for each in addressee_ids]
    marks = ", ".join("?" * len(named))
    connection.execute(f"DELETE FROM facts WHERE name GLOB '{_FACT}*' AND name NOT IN ({marks})", named)  # noqa: S608


def sent_to(connection: sqlite3.Connection, addressee_id: int) -> dict[str, Any]:
    """What waits to be told, what was refused for good, the last one's reason, and what was told again since it was lost there."""
    new = connection.execute(f"SELECT count(*) {_NEW}", (_seen(connection, addressee_id),)).fetchone()[0]
    counted = "SELECT count(*) FROM evidence_sent WHERE addressee = ? AND {}"
    waiting, refused = (
        connection.execute(counted.format(outcome), (addressee_id,)).fetchone()[0] for outcome in ("outcome IS NULL", "outcome = 'refused'")
    )
    last = "SELECT reason FROM evidence_sent WHERE addressee = ? AND outcome = 'refused' ORDER BY item DESC LIMIT 1"
    row = connection.execute(last, (addressee_id,)).fetchone()
    return {
        "brand_id": addressee_id,
        "waiting": new + waiting,
        "refused": refused,
        "refused_last": None if row is None else row[0],
        "told_again": told_again(connection, addressee_id),
    }


def _seen(connection: sqlite3.Connection, addressee_id: int) -> int:
    """Up to which item it was taken note of."""
    return int(connection.execute("SELECT value FROM facts WHERE name = ?", (f"{_FACT}{addressee_id}",)).fetchone()[0])
