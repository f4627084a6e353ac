"""The witness as a process, beside a real node: it signs, keeps and publishes; killed, it goes on from what it signed; lied to, it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from node.__main__ import main as node_main
from node.config import DataDirectory
from node.rotation import rotate
from tests.node.running_node import ROOT, RunningNode
from tests.node.sealed_chain import NOBODY, OPERATOR

TOKEN = "auditor.secret"


@dataclass
class Taking:
    """What a gateway got; it answers with `status`."""

    status: int = 201
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def gateway(taking: Taking) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert (self.path, self.headers["authorization"]) == ("/v1/checkpoints", f"Bearer {TOKEN}")
            assert self.headers["idempotency-key"].startswith("checkpoint-0x")
            taking.bodies.append(body)
            self.send_response(taking.status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def configured(folder: Path, node: RunningNode, **more: Any) -> Path:
    assert node.ready is not None
    folder.mkdir(exist_ok=True)
    settings = {"rpc_url": node.url, "genesis_hash": node.ready["genesis_hash"], "every_seconds": 1, **more}
    (folder / "witness.json").write_text(json.dumps(settings))
    return folder / "witness.json"


def command(config: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway.witness", "--config", str(config), *arguments]


def run(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command(config, *arguments), capture_output=True, text=True, check=False, timeout=60, cwd=ROOT, env=environment)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[RunningNode]:
    with RunningNode(tmp_path / "node", ("--operator", OPERATOR.address)) as running:
        running.send(OPERATOR, to=NOBODY, value=1)
        yield running


def test_once_signs_what_the_nodes_own_commands_take(node: RunningNode, tmp_path: Path) -> None:
    config = configured(tmp_path / "ann", node)
    done = run(config, "--once")
    assert done.returncode == 0, done.stderr
    signed = json.loads(done.stdout)
    assert (signed["number"], signed["genesisHash"]) == (1, node.ready and node.ready["genesis_hash"])
    assert signed["signer"] == run(config, "--address").stdout.strip()
    (tmp_path / "checkpoint.json").write_text(done.stdout)
    compared = CliRunner().invoke(node_main, ["checkpoint", "compare", "--data", str(node.data), str(tmp_path / "checkpoint.json")])
    assert json.loads(compared.output)["agreeing"] == 1
    again = run(config, "--once")
    assert (again.returncode, again.stdout) == (0, ""), "the same head is signed once"


def test_what_is_published_is_brought_again_until_it_is_taken(node: RunningNode, tmp_path: Path) -> None:
    taking = Taking(status=503)
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "api.key").write_text(TOKEN)
    (tmp_path / "ann" / "api.key").chmod(0o600)
    with gateway(taking) as url:
        config = configured(tmp_path / "ann", node, publish={"url": url, "api_key_file": "api.key"})
        refused = run(config, "--once")
        assert refused.returncode == 1
        assert "answers 503" in refused.stderr
        taking.status = 201
        assert run(config, "--once").returncode == 0
    assert taking.bodies[0] == taking.bodies[1]
    assert taking.bodies[0]["number"] == 1


def test_running_along_it_signs_new_heads_and_killed_it_goes_on_from_the_last(node: RunningNode, tmp_path: Path) -> None:
    config = configured(tmp_path / "ann", node)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    numbers = []
    for _ in range(3):
        process = subprocess.Popen(command(config), stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        assert process.stdout is not None
        if numbers:
            node.send(OPERATOR, to=NOBODY, value=1)
        numbers.append(json.loads(process.stdout.readline())["number"])
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert numbers == [1, 2, 3]
    signed = [json.loads(line)["number"] for line in (tmp_path / "ann" / "checkpoints.jsonl").read_text().splitlines()[1:]]
    assert signed == [1, 2, 3], "each that was shown is on disk, once"
    process = subprocess.Popen(command(config), stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode in (0, -signal.SIGTERM), "told to stop, also before it listens for it"


def test_a_rotation_is_followed_and_another_story_ends_it(node: RunningNode, tmp_path: Path) -> None:
    config = configured(tmp_path / "ann", node)
    assert run(config, "--once").returncode == 0
    node.stop()
    shutil.copytree(node.data, tmp_path / "other")
    rotate(DataDirectory(node.data))
    node.arguments = ()
    node.start()
    configured(tmp_path / "ann", node)
    done = run(config, "--once")
    assert (done.returncode, json.loads(done.stdout)["number"]) == (0, 2), done.stderr
    with RunningNode(tmp_path / "other") as other:
        other.send(OPERATOR, to=NOBODY, value=5)
        configured(tmp_path / "ann", other)
        refused = run(config, "--once")
    assert refused.returncode == 1
    assert "witness: block 2: two stories: it is 0x" in refused.stderr
    kept = json.loads((tmp_path / "ann" / "refused.json").read_text())
    assert kept["last_signed"]["number"] == 2
    assert len(kept["shown"]["seal"]) == 2 + 130


def test_a_node_that_does_not_answer_is_no_refusal(node: RunningNode, tmp_path: Path) -> None:
    config = configured(tmp_path / "ann", node)
    node.stop()
    node.process = None
    done = run(config, "--once")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert not (tmp_path / "ann" / "refused.json").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"genesis_hash": "0x12"}, "has 1 bytes"),
        ({"skew_seconds": 0}, "skew_seconds must be"),
        ({"every_seconds": 400}, "every_seconds is above skew_seconds"),
        ({"rpc_url": "localhost"}, "rpc_url must be an http URL"),
        ({"surprise": 1}, "unknown settings: surprise"),
        ({"publish": {"url": "http://127.0.0.1:1"}}, "'api_key_file' is missing"),
    ],
)
def test_settings_that_cannot_be_are_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    settings = {"rpc_url": "http://127.0.0.1:1", "genesis_hash": "0x" + "00" * 32, **change}
    (tmp_path / "witness.json").write_text(json.dumps(settings))
    done = run(tmp_path / "witness.json", "--once")
    assert done.returncode == 1
    assert says in done.stderr
