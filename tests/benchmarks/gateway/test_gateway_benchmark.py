"""A short run of the benchmark, every program in a process of its own: its keys, its counts and its audit hold.

How fast it is, is for a quiet machine. The sample runs the gateway as it is by default; PostgreSQL, anvil and the plain table at soak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.anvil import find_anvil
from scripts.benchmarks.gateway.brands import SHARES
from scripts.benchmarks.gateway.report import TARGETS, shown
from scripts.benchmarks.targets import looked_up
from scripts.postgresql import find_programs
from tests.depth import DEPTH, Depth

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.timeout(1_800)
SOAK = DEPTH is Depth.SOAK
whole_alone = pytest.mark.skipif(not SOAK, reason="of the whole benchmark, which runs at soak")
SMALL = ("--members", "1000", "--purchases", "1000", "--seconds", "1", "--brands", "2")
PUBLISHED = (
    "single_call.confirmed_per_s",
    "single_call.answer_ms.p99",
    "single_call.confirm_ms.p99",
    "direct_call.confirmed_per_s",
    "bulk.confirmed_entries_per_s",
    "redeem.confirmed_per_s",
    "read.per_s",
    "read.p99_ms",
    "read_while_writing.per_s",
    "one_at_a_time.confirm_ms.p50",
)
OF_A_TABLE = ("direct_call.confirmed_per_s", "bulk.confirmed_entries_per_s", "read.per_s", "one_at_a_time.confirm_ms.p50")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    folder = tmp_path_factory.mktemp("bench")
    return bench(folder, "--json", str(folder / "figures.json"), *(() if SOAK else ("--part", "own"))), folder


@pytest.fixture(scope="module")
def figures(ran: tuple[subprocess.CompletedProcess[str], Path]) -> dict[str, Any]:
    done, folder = ran
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return found


def test_every_published_key_holds_a_positive_figure(figures: dict[str, Any]) -> None:
    assert _without_figure(figures, PUBLISHED) == []
    assert {"python", "cpus", "load_before", "load_after"} <= set(figures["machine"])
    assert set(figures["targets"]) == {target.key for target in TARGETS}


def test_what_was_acknowledged_is_on_the_ledger_once_and_the_audit_is_clean(figures: dict[str, Any]) -> None:
    assert figures["faults"] == []
    assert figures["audit"]["clean"]
    for name in ("bulk", "direct_call", "single_call", "redeem"):
        for part in ("closed", "open"):
            counted = figures[name][part]
            assert counted["confirmed_entries"] == counted["sent_entries"] > 0
            assert counted["confirm_ms"]["count"] > 0
            assert counted["missing"] == counted["refused_entries"] == 0


def test_the_processors_time_is_told_by_program(figures: dict[str, Any]) -> None:
    taken = figures["single_call"]["closed"]["cpu_s"]
    assert set(taken) == {"node", "gateway", "agent-shop-1", "agent-shop-2", "client"}
    assert all(seconds > 0 for seconds in taken.values())


def test_no_more_is_on_its_way_than_the_window_lets(figures: dict[str, Any]) -> None:
    closed = figures["single_call"]["closed"]
    assert closed["waiting_at_end"] <= closed["window"]


@whole_alone
def test_postgresql_runs_the_same_on_the_same_rows_and_beside_it_a_plain_table(figures: dict[str, Any]) -> None:
    if find_programs() is None:
        assert {"postgres", "postgres_baseline"} <= set(figures["left_out"])
        pytest.skip("PostgreSQL is not installed")
    assert _without_figure(figures["postgres"], PUBLISHED) == []
    assert figures["postgres"]["audit"]["clean"]
    assert figures["postgres"]["bulk"]["closed"]["cpu_s"]["postgresql"] > 0
    assert _without_figure(figures["postgres_baseline"], OF_A_TABLE) == []


@whole_alone
def test_anvil_is_an_engine_like_ours(figures: dict[str, Any]) -> None:
    if find_anvil() is None:
        assert "anvil" in figures["left_out"]
        pytest.skip("anvil is not installed: `npm ci` in tests/conformance/clients")
    assert _without_figure(figures["anvil"], PUBLISHED) == []
    assert figures["anvil"]["audit"]["clean"]


def test_the_table_shows_every_target(figures: dict[str, Any]) -> None:
    targets, processor_time = shown(figures)
    assert targets.row_count == len(TARGETS)
    assert processor_time.row_count >= 6


def test_what_was_built_is_kept_and_not_built_again(figures: dict[str, Any], ran: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    folder = ran[1]
    again = bench(folder, "--only", "read")
    assert again.returncode == 0, again.stderr
    assert "is proposed" not in again.stderr
    assert "members in" not in again.stderr
    assert json.loads((folder / f"built-1000-1000-{len(SHARES[:2])}" / "built.json").read_text()) == figures["state"]


def bench(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Whatever ends the test ends the programs of the benchmark with it."""
    command = [sys.executable, "-m", "scripts.benchmarks.gateway", *SMALL, "--data", str(folder), "--keep", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            told, said = running.communicate()
        finally:
            running.terminate()
    return subprocess.CompletedProcess(command, running.returncode, told, said)


def _without_figure(figures: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if not (looked_up(figures, key) or 0) > 0]
