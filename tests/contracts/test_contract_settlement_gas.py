"""What a netted cycle costs, as contracts/README.md states it."""

from __future__ import annotations

from pathlib import Path

from tests.builders.settlement_gas import table

README = Path(__file__).resolve().parents[2] / "contracts" / "README.md"


def test_the_readme_states_what_is_measured() -> None:
    assert table() in README.read_text()
