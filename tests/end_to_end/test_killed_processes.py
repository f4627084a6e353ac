"""Node and gateway are killed without warning while the walk goes on: nothing acknowledged is lost, nothing is doubled."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.depth import in_a_soak
from tests.end_to_end import demo_run

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1800)]

KILLS_PER_RUN = 10
RUNS = in_a_soak(3, 1)
VICTIMS = (("node",), ("gateway",), ("node", "gateway"))


@pytest.mark.parametrize("number", range(RUNS))
def test_totals_are_those_of_an_undisturbed_run(number: int, summary: dict[str, Any], tmp_path: Path) -> None:
    data = tmp_path / "demo"
    summary_file = data.with_suffix(".json")
    process = demo_run.start(data, "--once", "--json", str(summary_file), *demo_run.REDUCED, "--seed", demo_run.SEED)
    walk_seconds = summary["seconds"]["walk"]
    try:
        kills = _kill_at_random(process, data, random.Random(f"kills {number}"), walk_seconds)
        killed = demo_run.run_once_finished(process, data)
    finally:
        process.terminate()
        process.wait(timeout=60)
    assert kills == KILLS_PER_RUN, f"only {kills} kills fell into the walk"
    for key in ("brands", "clearing", "members", "payments", "purchases", "breaks"):
        assert killed[key] == summary[key], key
    assert demo_run.totals(killed)["entries"] == demo_run.totals(summary)["entries"]
    assert all(verdict == "ok" or verdict.startswith("not applicable") for verdict in killed["audit"].values())
    _assert_each_acknowledged_operation_ended_once(data)


def _kill_at_random(process: subprocess.Popen[str], data: Path, dice: random.Random, walk_seconds: float) -> int:
    """Kills while the walk runs; the pauses are drawn so that all kills fall into it."""
    while not list((data / "walk").glob("*.json")):
        assert process.poll() is None, data.with_suffix(".log").read_text()[-4000:]
        time.sleep(0.1)
    for kill in range(KILLS_PER_RUN):
        time.sleep(dice.uniform(0, 2 * walk_seconds / KILLS_PER_RUN * 0.8))
        if process.poll() is not None or (data / "payment-files").exists():
            return kill
        for victim in dice.choice(VICTIMS):
            _kill(data, victim)
    return KILLS_PER_RUN


def _kill(data: Path, victim: str) -> None:
    """Two kills may come so close that the listed process is gone and the next is not up yet: then that one is awaited."""
    deadline = time.monotonic() + 60
    while True:
        try:
            os.kill(demo_run.processes(data)[victim], signal.SIGKILL)
            return
        except (KeyError, ProcessLookupError):
            assert time.monotonic() < deadline, f"no {victim} to kill"
            time.sleep(0.05)


def _assert_each_acknowledged_operation_ended_once(data: Path) -> None:
    acknowledged = demo_run.acknowledged_operations(data)
    assert acknowledged
    with sqlite3.connect(f"file:{data / 'gateway' / 'gateway.sqlite3'}?mode=ro", uri=True) as database:
        ended = dict(database.execute("SELECT operation_id, status FROM operations WHERE status IN ('confirmed', 'refused')"))
        doubled = database.execute(
            "SELECT brand_id, reference, COUNT(*) FROM ledger_entries WHERE refused_reason IS NULL AND reference IS NOT NULL "
            "GROUP BY brand_id, reference HAVING COUNT(*) > 1"
        ).fetchall()
    assert acknowledged <= set(ended)
    assert doubled == []
