"""What a netted cycle costs, as contracts/README.md states it, and that every part of a large one fits a transaction."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.ledger_chain import GAS_PER_TRANSACTION
from tests.builders.settlement_gas import PAIRS_AT_ONCE, SIZES, measure, table

README = Path(__file__).resolve().parents[2] / "contracts" / "README.md"
MANY_PAIRS = 2_800


@pytest.fixture(scope="module")
def measured() -> dict[int, tuple[int, int, int, int]]:
    return {brands: measure(brands) for brands in SIZES}


def test_the_readme_states_what_is_measured(measured: dict[int, tuple[int, int, int, int]]) -> None:
    assert table(measured) in README.read_text()


def test_a_cycle_of_thousands_of_pairs_is_agreed_and_applied_in_transactions_that_a_chain_takes(
    measured: dict[int, tuple[int, int, int, int]],
) -> None:
    agreed, pairs, applied, confirmed = measured[SIZES[-1]]
    assert pairs >= MANY_PAIRS
    assert max(agreed, applied * PAIRS_AT_ONCE, confirmed) < GAS_PER_TRANSACTION
