"""Decision notes are numbered without gaps and all read the same way: context, decision, consequences, what guards it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

NOTES = sorted((ROOT / "docs" / "decisions").iterdir())
PARTS = ["Context.", "Decision.", "Consequences.", "Guarded by"]
PART = re.compile(r"^\*\*([^*]+)\*\*", re.MULTILINE)


def test_the_notes_are_numbered_without_gaps() -> None:
    assert [note.name[:5] for note in NOTES] == [f"{number:04d}-" for number in range(1, len(NOTES) + 1)]


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.stem)
def test_a_note_has_its_number_in_its_title_and_its_four_parts_in_order(note: Path) -> None:
    assert note.read_text().startswith(f"# {int(note.name[:4])}. ")
    assert _parts(note.read_text()) == PARTS


def test_a_note_that_says_nothing_of_its_guard_is_seen() -> None:
    assert _parts("# 1. One\n\n**Context.** a\n\n**Decision.**\n- b\n\n**Consequences.** c\n") == PARTS[:3]
    assert _parts("# 1. One\n\n## Context\na\n") == []


def test_every_note_that_is_named_exists() -> None:
    named = set[str]()
    for path in (*ROOT.rglob("docs/**/*.md"), *ROOT.glob("*/README.md"), ROOT / "README.md"):
        named |= set(re.findall(r"\b\d{4}-[a-z-]+\.md\b", path.read_text()))
    assert named
    assert named <= {note.name for note in NOTES}


def _parts(text: str) -> list[str]:
    return [part for part in PART.findall(text) if part in PARTS]
