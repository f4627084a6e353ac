"""A gateway's processes: whoever dies is started again, and however the parent ends nobody outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.serving.bells import Bell
from tests.builders.served_gateway import ServedGateway, bearer, children_of, served_gateway
from tests.node.running_node import ROOT


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(reached: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


@contextmanager
def gateway_of(folder: Path, processes: int) -> Iterator[ServedGateway]:
    with served_gateway(folder, api_processes=processes) as served:
        until(lambda: len(children_of(served.process.pid)) == processes + 1)
        yield served


def test_two_processes_answer_beside_the_worker_and_whoever_is_killed_is_replaced(tmp_path: Path) -> None:
    with gateway_of(tmp_path, 2) as served:
        for killed in children_of(served.process.pid):
            os.kill(killed, signal.SIGKILL)
            until(lambda killed=killed: killed not in children_of(served.process.pid) and len(children_of(served.process.pid)) == 3)  # type: ignore[misc]
            until(lambda: _answers(served))


def test_a_gateway_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    parent = "from tests.gateway.serving.test_family import serve_for_ever; serve_for_ever()"
    with subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        until(lambda: len(children_of(process.pid)) == 2)
        children = children_of(process.pid)
        process.kill()
        process.wait()
        until(lambda: not any(map(lives, children)), 10)


def test_a_gateway_that_is_told_to_end_ends_its_processes_first(tmp_path: Path) -> None:
    with gateway_of(tmp_path, 1) as served:
        children = children_of(served.process.pid)
    assert served.process.returncode == 0
    assert not any(map(lives, children))


def test_what_the_worker_does_is_told_by_every_process(tmp_path: Path) -> None:
    with gateway_of(tmp_path, 2) as served:

        def told() -> bool:
            health = httpx.get(f"{served.url}/v1/health", headers=bearer(served.operator), timeout=30).json()
            return bool(health["worker"]["state"] == "waiting" and "127.0.0.1:9" in str(health["worker"]["last_error"]))

        until(told)


def test_a_bell_is_heard_by_who_listens_and_by_who_comes_later() -> None:
    bell, heard = Bell(), []
    bell.ring()
    bell.listen(lambda: heard.append(1))
    until(lambda: len(heard) == 1, 5)
    bell.ring()
    until(lambda: len(heard) == 2, 5)


def serve_for_ever() -> None:
    from gateway.serving.family import Family

    Family({"one": lambda: time.sleep(600), "other": lambda: time.sleep(600)}).run()


def _answers(served: ServedGateway) -> bool:
    try:
        return httpx.get(f"{served.url}/healthz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("processes", [0, 65])
def test_the_number_of_processes_is_bounded(processes: int) -> None:
    from gateway.config import BadSettings, settings_of

    with pytest.raises(BadSettings, match="api_processes"):
        settings_of({"api_processes": processes})
