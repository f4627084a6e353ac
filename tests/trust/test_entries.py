"""What a batch can do to whom: each kind of entry has its line, and the answer to a brand that has not what it needs."""

from __future__ import annotations

from pathlib import Path

from gateway.ledger.entries import EntryKind, kind_of
from tests.trust.entry_powers import ENTRIES, lines_of_entries
from tests.trust.ground import Ground
from tests.trust.second_brand import MANAGED, answers_to

DOCUMENT = Path(__file__).parents[2] / "docs" / "trust.md"


def test_every_kind_of_entry_has_its_line() -> None:
    assert set(ENTRIES) == set(EntryKind)


def test_the_document_has_the_lines_that_are_tried() -> None:
    table = "\n".join(lines_of_entries())
    assert table in DOCUMENT.read_text(), f"put this into {DOCUMENT.name}:\n{table}"


def test_each_kind_is_answered_as_its_line_says(ground: Ground) -> None:
    entries = [line.tried(ground) for line in ENTRIES.values()]
    assert [kind_of(each) for each in entries] == list(ENTRIES)
    answers = answers_to(ground, ground.keys["operator"], MANAGED, 50, entries)
    assert dict(zip(ENTRIES, answers, strict=True)) == {kind: line.answer for kind, line in ENTRIES.items()}
