"""What entries cost, as contracts/README.md states it: measured in large batches, so that nothing grows dearer unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.entry_gas import measure, table

README = Path(__file__).resolve().parents[2] / "contracts" / "README.md"
CEILINGS = {
    "issue, existing member": 9_700,
    "issue, new member": 26_800,
    "clawback, of one of 1,000 issues": 60_000,
    "clawback, further of the same issue": 50_000,
    "restore": 30_000,
    "extend, new lot": 40_000,
    "authorize": 75_000,
    "capture": 25_000,
    "void": 16_500,
    "redeem": 78_500,
    "point refund": 20_700,
    "transfer": 56_500,
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
