"""`scripts/run` refuses what cannot be before it starts anything, in one line that says what to do."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

from scripts.demo.arguments import parse
from scripts.demo.data_directory import PortTaken, check_free
from scripts.demo.processes import ProcessDied, Supervisor


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--households", "-3"], "'-3' cannot be: give a whole number from 1 to 300, or leave it out"),
        (["--households", "0"], "from 1 to 300"),
        (["--households", "1000000000"], "from 1 to 300"),
        (["--households", "9" * 5000], "from 1 to 300"),
        (["--households", "few"], "from 1 to 300"),
        (["--days", "92"], "from 1 to 91"),
        (["--days", "-1"], "from 1 to 91"),
        (["--port", "0"], "from 1 to 65535"),
        (["--port", "65536"], "from 1 to 65535"),
        (["--port", "8080", "--rpc-port", "8080"], "--port and --rpc-port are both 8080: choose two"),
        (["--json", "/nonexistent/summary.json"], "name one in a directory that exists"),
        (["--households", "٣"], "from 1 to 300"),
        (["--seed", "abc"], "give a whole number"),
        (["--json", "/proc/summary.json"], "name one in a directory that exists"),
        (["--database", "mysql://ann:s3cret@host/x"], "'mysql://ann:***@host/x' cannot be: give postgresql://USER@HOST/NAME"),
        (["--json", "/"], "name one in a directory that exists"),
    ],
)
def test_what_cannot_be_is_refused_with_status_2(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err.splitlines()[-1]


def test_what_can_be_is_taken(tmp_path: Path) -> None:
    parsed = parse(["--households", "300", "--days", "1", "--port", "65535", "--json", str(tmp_path / "summary.json")])
    assert (parsed.households, parsed.days, parsed.port, parsed.json) == (300, 1, 65_535, tmp_path / "summary.json")


def test_a_run_on_a_port_in_use_starts_nothing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        arguments = ["--data", str(tmp_path / "demo"), "--households", "2", "--days", "1", "--once", "--port", str(port)]
        command = [sys.executable, "-m", "scripts.demo", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    remedy = "end what uses it, or choose another --port"
    assert done.stderr.splitlines()[-1] == f"port {port} (gateway) cannot be used (Address already in use): {remedy}"
    assert not (tmp_path / "demo" / "node").exists()


def test_a_gateways_variables_are_not_this_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLITTALLY_DATABASE_URL", "postgresql:///of-somebody-else")
    monkeypatch.setenv("OTHER", "kept")
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("child", ["-c", "import os; print(sorted(os.environ), flush=True); input()"], lambda: True)
        log = tmp_path / "logs" / "child.log"
        while not log.read_text().strip():
            supervisor.check()
            sleep(0.01)
    said = log.read_text()
    assert "OTHER" in said
    assert "SPLITTALLY_" not in said


def test_each_port_is_free_and_only_one_programs() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    check_free({"gateway": port})
    with pytest.raises(PortTaken, match=r"\(fuel\).*--fresh"):
        check_free({"gateway": port, "fuel": port})


def test_a_process_that_ends_is_quoted(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor, pytest.raises(ProcessDied, match=r"till ended with 3: no such drawer; its log: .*till\.log"):
        supervisor.start("till", ["-c", "print('opening'); print('no such drawer'); raise SystemExit(3)"], lambda: False)
