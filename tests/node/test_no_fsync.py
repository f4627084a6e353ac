"""What is acknowledged was flushed to the disk: where fsync fails, nothing is. A kill does not show this, the page cache survives it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.node import no_fsync
from tests.node.running_node import ROOT, RunningNode, run_node_command
from tests.node.sealed_chain import OPERATOR

if not no_fsync.can_refuse() and os.environ.get("CI") != "true":
    pytest.skip("needs Linux on x86-64 or arm64, where a process may have the kernel refuse it a system call", allow_module_level=True)


def _run(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"tests.node.{module}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)


def test_a_block_that_was_not_flushed_is_not_acknowledged_and_the_one_before_it_stays(tmp_path: Path) -> None:
    ran = _run("unflushed_node", tmp_path / "data")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["head"] == 1
    assert "cannot be written" in found["refused"]
    assert "Input/output error" in found["refused"]
    assert "see to the disk and start again, what was acknowledged is kept" in found["refused"]
    with RunningNode(tmp_path / "data") as node:
        assert node.call("eth_getBlockByNumber", "0x1", False) == found["block_1"]


@pytest.mark.parametrize("command", ["export", "backup", "import", "repair"])
def test_a_file_or_store_that_was_not_flushed_is_not_called_done(tmp_path: Path, command: str) -> None:
    data, copy, exported = tmp_path / "data", tmp_path / "copy", tmp_path / "chain.jsonl"
    with RunningNode(data, ("--operator", OPERATOR.address)) as node:
        node.send(OPERATOR, to=OPERATOR.address, value=1)
        assert run_node_command("export", "--data", str(data), str(exported)).returncode == 0
    arguments = {
        "export": ("--data", data, tmp_path / "again.jsonl"),
        "backup": ("--data", data, copy),
        "import": ("--data", copy, exported),
        "repair": ("--data", data, "--from", exported),
    }[command]
    before = sorted(tmp_path.iterdir())
    ran = _run("no_fsync", command, *arguments)
    assert ran.returncode == 1
    assert "error: " in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Input/output error" in ran.stderr
    if command != "import":  # it goes on where it was, should the disk be better
        assert sorted(tmp_path.iterdir()) == before
