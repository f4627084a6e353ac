"""What entries cost, as contracts/README.md states it: measured in large batches, so that nothing grows dearer unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.entry_gas import measure, table

README = Path(__file__).resolve().parents[2] / "contracts" / "README.md"
CEILINGS = {
    "issue, existing member": 9_100,
    "issue, new member": 26_300,
    "clawback": 10_900,
    "authorize": 75_000,
    "capture": 25_000,
    "void": 16_500,
    "redeem": 78_500,
    "point refund": 20_700,
    "transfer": 55_500,
    "expire": 9_000,
}


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    return measure()


@pytest.mark.parametrize("kind", CEILINGS)
def test_an_entry_costs_no_more_than_it_should(measured: dict[str, int], kind: str) -> None:
    assert measured[kind] <= CEILINGS[kind]


def test_the_readme_states_what_is_measured(measured: dict[str, int]) -> None:
    assert table(measured) in README.read_text()
