"""A quick run of the whole benchmark: its keys, its figures and its cross-checks hold. How fast it is, is for a quiet machine."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.anvil import find_anvil
from scripts.benchmarks.durable_ledger import durable_ledger
from scripts.benchmarks.ledger import measure
from scripts.benchmarks.ledger_phases import BATCHES_ALONE, QUICK, Phases
from scripts.benchmarks.ledger_report import TARGETS, shown
from scripts.benchmarks.redeeming import WAYS
from scripts.benchmarks.rivals import Rivals
from scripts.benchmarks.targets import looked_up

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
    "redemptions.key_per_s",
    "redemptions.passkey_per_s",
    "redemptions.brand_grant_per_s",
    "redemptions.member_grant_per_s",
    "gas.batches.1000",
    "gas.entries.redeem, by a passkey",
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


def test_commits_are_told_also_where_no_batch_had_a_block_to_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a loaded machine, where all that waits goes into one block."""
    with durable_ledger(tmp_path / "node") as ledger:
        phases = Phases(ledger, Rivals(ledger), MEMBERS_ON_ANVIL, QUICK, lambda _: None)
        phases.build()

        def together(raw: list[bytes]) -> None:
            odd = 3 if len(raw) % 2 else 0
            ledger.in_blocks_of(3, raw[:odd])
            ledger.in_blocks_of(2, raw[odd:])

        monkeypatch.setattr(ledger, "stream", together)
        _, commits = phases.sustained()
    assert (commits["count"], commits["p50"] > 0) == (BATCHES_ALONE, True)


def test_what_is_not_installed_is_left_out_by_name_and_never_made_up(figures: dict[str, Any]) -> None:
    assert figures["batched_existing"]["anvil_entries_per_s"] is None
    assert figures["ratios"]["batched_to_anvil"] is None
    assert "anvil" in figures["left_out"]
    assert figures["targets"]["ratios.batched_to_anvil"]["met"] is None


def test_every_target_is_judged_and_shown(figures: dict[str, Any]) -> None:
    assert set(figures["targets"]) == {target.key for target in TARGETS}
    table, engines, redemptions, gas = shown(figures)
    assert table.row_count == len(TARGETS)
    assert engines.row_count > 0
    assert redemptions.row_count == len(WAYS)
    assert gas.row_count == sum(map(len, figures["gas"].values()))


def test_the_gas_of_every_kind_of_act_is_told(figures: dict[str, Any]) -> None:
    told = {"entries", "batches", "members", "owners", "governance", "guardian", "anybody", "settlement"}
    assert set(figures["gas"]) == told
    assert all(gas > 0 for acts in figures["gas"].values() for gas in acts.values())


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
