"""Starts load processes and takes what they, and the programs under load, cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmarks.figures import load as machine_load
from scripts.benchmarks.gateway.processor_time import ProcessorTime
from scripts.benchmarks.gateway.task import Task
from scripts.demo.processes import ROOT

GIVEN_UP_AFTER_SECONDS = 3_600


class LoadFailed(Exception):
    """A load process ended without figures."""


@dataclass
class _Running:
    name: str
    child: subprocess.Popen[str]
    result: Path


def run_loads(folder: Path, tasks: Sequence[Task], leaders: dict[str, int]) -> list[dict[str, Any]]:
    """The figures of each, begun at the same moment; the programs' processor time stands in the first's."""
    folder.mkdir(parents=True, exist_ok=True)
    running = [_start(folder, f"{task.run}-{task.what}", task) for task in tasks]
    try:
        for one in running:
            _await_word(one, "ready")
        before = machine_load()
        clock = ProcessorTime(leaders)
        for one in running:
            assert one.child.stdin is not None
            one.child.stdin.write("go\n")
            one.child.stdin.flush()
        for one in running:
            _await_word(one, "done")
        taken = clock.taken()
        memory = clock.megabytes()
        found = [_result(one) for one in running]
    finally:
        for one in running:
            if one.child.poll() is None:
                one.child.kill()
            one.child.communicate()
    taken["client"] = round(sum(one["client_cpu_s"] for one in found), 2)
    found[0] |= {"cpu_s": taken, "memory_mb": memory, "load_before": before, "load_after": machine_load()}
    return found


def _start(folder: Path, name: str, task: Task) -> _Running:
    task_file, result = folder / f"{name}.task.json", folder / f"{name}.json"
    task.write(task_file)
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "scripts.benchmarks.gateway.load", str(task_file), str(result)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ETH_HASH_BACKEND": "pysha3"}
    with (folder / f"{name}.log").open("wb") as log:
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    return _Running(name, child, result)


def _await_word(one: _Running, word: str) -> None:
    assert one.child.stdout is not None
    said = one.child.stdout.readline().strip()
    if said != word:
        raise LoadFailed(f"the load {one.name} said {said!r} instead of {word!r}: {_log(one)}")


def _result(one: _Running) -> dict[str, Any]:
    if one.child.wait(GIVEN_UP_AFTER_SECONDS) != 0:
        raise LoadFailed(f"the load {one.name} ended with {one.child.returncode}: {_log(one)}")
    found: dict[str, Any] = json.loads(one.result.read_text())
    return found


def _log(one: _Running) -> str:
    return one.result.with_suffix(".log").read_text()[-1_500:]
