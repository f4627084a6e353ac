"""A quick run of the whole benchmark: its keys, its figures and its cross-checks hold. How fast it is, is for a quiet machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.ledger import measure
from scripts.benchmarks.ledger_phases import QUICK
from scripts.benchmarks.ledger_report import TARGETS, looked_up, shown

MEMBERS = 2_000
PUBLISHED = (
    "batched_existing.entries_per_s",
    "batched_existing.stock_entries_per_s",
    "batched_new.entries_per_s",
    "single.transactions_per_s",
    "single.stock_transactions_per_s",
    "one_at_a_time_ms.p50",
    "one_at_a_time_ms.p99",
    "commit_ms.p50",
    "commit_ms.p99",
    "proof_ms.p50",
    "proof_ms.p99",
)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    nowhere = Path("/nonexistent/anvil")
    return measure(tmp_path_factory.mktemp("bench"), MEMBERS, QUICK, nowhere, lambda _: None)


def test_every_published_key_holds_a_positive_figure(figures: dict[str, Any]) -> None:
    assert figures["members"] == MEMBERS
    assert [key for key in PUBLISHED if not (looked_up(figures, key) or 0) > 0] == []
    assert {"python", "cpus", "load_before", "load_after"} <= set(figures["machine"])


def test_what_is_not_installed_is_left_out_by_name_and_never_made_up(figures: dict[str, Any]) -> None:
    assert figures["batched_existing"]["anvil_entries_per_s"] is None
    assert figures["ratios"]["batched_to_anvil"] is None
    assert "anvil" in figures["left_out"]
    assert figures["targets"]["ratios.batched_to_anvil"]["met"] is None


def test_every_target_is_judged_and_shown(figures: dict[str, Any]) -> None:
    assert set(figures["targets"]) == {target.key for target in TARGETS}
    table, engines = shown(figures)
    assert table.row_count == len(TARGETS)
    assert engines.row_count > 0
