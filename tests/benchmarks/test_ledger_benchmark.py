"""A quick run of the whole benchmark: its keys, its figures and its cross-checks hold. How fast it is, is for a quiet machine."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.anvil import find_anvil
from scripts.benchmarks.ledger import measure
from scripts.benchmarks.ledger_phases import QUICK
from scripts.benchmarks.ledger_report import TARGETS, looked_up, shown

MEMBERS = 2_000
MEMBERS_ON_ANVIL = 1_000
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
PUBLISHED_WITH_ANVIL = (
    *PUBLISHED,
    "batched_existing.anvil_entries_per_s",
    "batched_existing.burst_anvil_entries_per_s",
    "single.anvil_transactions_per_s",
    "ratios.batched_to_anvil",
    "ratios.burst_to_anvil",
    "ratios.single_to_anvil",
)
PUBLISHED_WITH_REVM = ("batched_existing.pyrevm_entries_per_s",)  # where Python has pyrevm


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    nowhere = Path("/nonexistent/anvil")
    return measure(tmp_path_factory.mktemp("bench"), MEMBERS, QUICK, nowhere, lambda _: None)


def test_every_published_key_holds_a_positive_figure(figures: dict[str, Any]) -> None:
    assert figures["members"] == MEMBERS
    assert _without_figure(figures, (*PUBLISHED, *(PUBLISHED_WITH_REVM if _have_revm() else ()))) == []
    assert ("pyrevm" in figures["left_out"]) is not _have_revm()
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


def test_anvil_where_it_is_installed_is_measured_on_the_same_state(tmp_path: Path) -> None:
    program = find_anvil()
    if program is None:
        assert os.environ.get("CI") != "true", "anvil is not installed: `npm ci` in tests/conformance/clients"
        pytest.skip("anvil is not installed: `npm ci` in tests/conformance/clients")
    figures = measure(tmp_path, MEMBERS_ON_ANVIL, QUICK, program, lambda _: None)
    assert _without_figure(figures, PUBLISHED_WITH_ANVIL) == []
    assert figures["same_state"]["anvil"] is True
    assert "anvil" not in figures["left_out"]
    assert figures["targets"]["ratios.batched_to_anvil"]["met"] in (True, False)


def _have_revm() -> bool:
    return importlib.util.find_spec("pyrevm") is not None


def _without_figure(figures: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if not (looked_up(figures, key) or 0) > 0]
