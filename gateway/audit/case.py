"""A case: the evidence and the two books made of it, what every check is given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from gateway.audit.book import Book, BookEntry
from gateway.audit.evidence import Evidence
from gateway.audit.projection_book import projection_book
from gateway.audit.replay import AuditProgress, Disagreement, Replay, replay_chain
from gateway.rounds.tables import OperationRow
from gateway.values.ids import Reference


@dataclass(frozen=True)
class Case:
    """`books`: the ledger's, by replay, and the projection's, by its rows."""

    evidence: Evidence
    replay: Replay
    projection: Book

    @cached_property
    def issues(self) -> dict[tuple[int, Reference | None], BookEntry]:
        """The ledger's accepted issues by brand and reference."""
        return {(entry.brand_id, entry.reference): entry for entry in self.replay.book.accepted if entry.kind == "issue"}

    @cached_property
    def operations(self) -> dict[str | None, OperationRow]:
        """Those the gateway keeps, by id."""
        return {operation.operation_id: operation for operation in self.evidence.store.operations}

    @property
    def books(self) -> tuple[Book, Book]:
        return self.replay.book, self.projection

    def disagreements(self, *reasons: str) -> list[Disagreement]:
        """What ledger and rules disagree on for one of these reasons."""
        return [each for each in self.replay.disagreements if each.reason in reasons]


def open_case(evidence: Evidence, progress: AuditProgress | None = None) -> Case:
    """Replays the ledger and reads the projection."""
    return Case(evidence, replay_chain(evidence.chain, progress), projection_book(evidence.store.projection))
