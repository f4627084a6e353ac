"""The attack that began it all, on a deployment by the product's own commands, with everything that an operator has: every answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trust.attack import ATTACK, lines_of_the_attack
from tests.trust.ground import Ground

DOCUMENT = Path(__file__).parents[2] / "docs" / "trust.md"


def test_the_document_has_the_attempts_that_are_made() -> None:
    table = "\n".join(lines_of_the_attack())
    assert table in DOCUMENT.read_text(), f"put this into {DOCUMENT.name}:\n{table}"


@pytest.mark.parametrize("name", ATTACK)
def test_each_attempt_is_answered_as_the_line_says(ground: Ground, name: str) -> None:
    assert tuple(ATTACK[name].made(ground)) == ATTACK[name].answers
