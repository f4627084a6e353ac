"""Starts `python -m scripts.demo` as a user would, in a process of its own, and reads what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REDUCED = ["--households", "40", "--days", "35"]
SEED = "7"
OF_THE_SURROUNDINGS = {"ledger", "receipts", "seconds", "database", "witnesses"}


def start(data: Path, *arguments: str) -> subprocess.Popen[str]:
    """The main job on `data`, its words kept in `data`.log."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "ETH_HASH_BACKEND": "pysha3"}
    command = [sys.executable, "-m", "scripts.demo", "--data", str(data), *arguments]
    with data.with_suffix(".log").open("a") as log:
        return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str], data: Path, seconds: float = 600) -> None:
    """Waits for a good end."""
    code = process.wait(timeout=seconds)
    assert code == 0, f"the run ended with {code}:\n{data.with_suffix('.log').read_text()[-4000:]}"


def run_once(data: Path, *arguments: str) -> dict[str, Any]:
    """A whole run and its summary."""
    return run_once_finished(start(data, "--once", "--json", str(data.with_suffix(".json")), *arguments), data)


def run_once_finished(process: subprocess.Popen[str], data: Path) -> dict[str, Any]:
    """The summary of a run that was started with `--once --json <data>.json`."""
    finish(process, data)
    found: dict[str, Any] = json.loads(data.with_suffix(".json").read_text())
    return found


def totals(summary: dict[str, Any]) -> dict[str, Any]:
    """Everything that does not depend on the engine, the database, or on how fast they were.

    Of a member's activities that come in one round the last one decides: in how many steps her points move on, and how often each point is
    counted, depends on the rounds; where they end does not.
    """
    kept = {name: figures for name, figures in summary.items() if name not in OF_THE_SURROUNDINGS}
    extended = summary["lots"]["extended"]
    steps = sum(one["entries"] for one in extended.values())
    return {**kept, "lots": {**summary["lots"], "extended": sorted(extended)}, "entries": summary["ledger"]["entries"] - steps}


def processes(data: Path) -> dict[str, int]:
    """Process ids of the run's children by name; empty while none is listed."""
    try:
        listed = json.loads((data / "processes.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {name: process["pid"] for name, process in listed.items()}


def acknowledged_operations(data: Path) -> set[str]:
    """Ids of all operations that the client outside was told of."""
    found: set[str] = set()
    for line in (data / "acknowledged.jsonl").read_text().splitlines():
        answer = json.loads(line)["answer"]
        for result in answer.get("results", [answer]):
            operation = result.get("operation")
            if operation:
                found.add(operation["operation_id"])
    return found
