"""`splittally brand init --wait` on a coalition that runs: one command goes from nothing to a purchase on the ledger."""

from __future__ import annotations

import json
import re
import shlex
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import program
from tests.builders.authorities import make_authority
from tests.builders.commanded_coalition import CommandedCoalition
from tests.gateway.second_people.test_joining import running_agent
from tests.node.running_node import ROOT


def joining(commanded: CommandedCoalition, home: Path, port: int, brand_id: int, *more: str, key: str = "operator") -> list[str]:
    keys = {"operator": commanded.operator_folder / "operator-api.key", "auditor": commanded.folder / "people" / "auditor-api.key"}
    asked = ["brand", "init", "--dir", str(home), "--name", f"Brand {brand_id}", "--brand-id", str(brand_id), "--points", "2"]
    asked += ["--gateway", commanded.url, "--rpc", commanded.node.url, "--listen", f"127.0.0.1:{port}"]
    return [*asked, "--api-key-file", str(keys[key]), *more]


def said(command: list[str], ends_with: int) -> tuple[Any, str]:
    """(its JSON, what it says beside it)."""
    done = CliRunner().invoke(program(), [*command, "--json"])
    assert done.exit_code == ends_with, done.output
    return json.loads(done.stdout), done.stderr


def lacking(told: Any) -> dict[str, str]:
    return {each["name"]: each["said"] for each in told["checked"]["findings"] if not each["ok"]}


@contextmanager
def begun(asked: list[str], first: str) -> Iterator[subprocess.Popen[str]]:
    """As a program of its own, once it waits. Ctrl-C ends it, also where the tests themselves were started to ignore that."""
    command = [sys.executable, "-m", "gateway", *asked]
    ours = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        waiting = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, ours)
    with waiting:
        try:
            assert waiting.stderr is not None
            assert re.match(first, waiting.stderr.readline())
            yield waiting
        finally:
            waiting.kill()


def test_one_command_goes_from_nothing_to_a_purchase_however_often_it_is_said(
    commanded: CommandedCoalition, tmp_path: Path, unused_port: int
) -> None:
    """Its agent serves TLS."""
    home, (certificate, key) = tmp_path / "florist", commanded.tls
    asked = joining(commanded, home, unused_port, 5, "--tls-certificate", str(certificate), "--tls-key", str(key), "--wait")
    told, beside = said([*asked, "1"], 1)  # nobody has signed, and no agent runs
    assert set(lacking(told)) == {"agent here", "on the ledger", "test purchase"}
    assert f"gateway.brand_agent --config {home / 'agent' / 'agent.json'}" in lacking(told)["agent here"]
    assert "1 seconds are over: the same command waits on" in beside
    assert (told["checked"]["sold"], (home / "trial-purchase.json").exists()) == (False, False)
    assert json.loads((home / "registration.json").read_text())["signer_url"] == f"https://127.0.0.1:{unused_port}"

    with begun([*asked, "300"], r"waiting, for up to \d+ seconds more") as waiting:
        waiting.send_signal(signal.SIGINT)
        printed, beside = waiting.communicate(timeout=30)
    assert waiting.returncode == 130, printed + beside
    assert ("the same command goes on from here" in beside, "Traceback" in beside) == (True, False)

    commanded.carried_out(told["operation"]["operation_id"])
    told, _ = said([*asked, "0"], 1)
    assert {"agent here", "on the ledger"} & set(lacking(told)) == {"agent here"}
    with begun([*asked, "120"], r"waiting, for up to \d+ seconds more") as waiting, running_agent(home):
        printed, beside = waiting.communicate(timeout=120)
        assert waiting.returncode == 0, printed + beside
        assert f"ok       agent here: it runs at https://127.0.0.1:{unused_port}" in printed
        assert "ok       agent seen from the gateway: " in printed
        assert "LACKING  takes points: of no brand" in printed, "what others have still to do is named"
        assert "confirmed, 1 points in block" in printed.splitlines()[-1]
        again, beside = said([*asked, "60"], 0)
        assert (again["checked"]["sold"], beside, lacking(again).get("test purchase")) == (True, "", None)
        assert _bought(commanded, home) == 1, "by both"
        said(shlex.split(again["next_command"])[1:], 1)
        assert _bought(commanded, home) == 2, "`check` sells each time"
        _serves_another_certificate(home, tmp_path / "strange")
        [here] = [each["said"] for each in said(shlex.split(again["next_command"])[1:], 1)[0]["findings"] if each["name"] == "agent here"]
        assert "its TLS certificate is not valid here; who serves another certificate" in here


def _bought(commanded: CommandedCoalition, home: Path) -> int:
    member = json.loads((home / "trial-purchase.json").read_text())["member_id"]
    return int(commanded.get(f"/v1/members/{member}/points")["available"])


def _serves_another_certificate(home: Path, strange: Path) -> None:
    make_authority(strange)
    settings = json.loads((home / "agent" / "agent.json").read_text())
    settings["agent"] |= {"tls_certificate": str(strange / "tls.pem"), "tls_key": str(strange / "tls.key")}
    (home / "agent" / "agent.json").write_text(json.dumps(settings))


def test_a_gateway_with_an_authority_of_its_own_is_reached_by_the_command_its_check_and_the_agent(
    commanded: CommandedCoalition, tmp_path: Path, unused_port: int
) -> None:
    home, (certificate, _) = tmp_path / "bookshop", commanded.tls
    authority = tmp_path / "given.pem"
    authority.write_bytes((certificate.parent / "ca.pem").read_bytes())
    with _behind_tls(commanded) as url:
        asked = [*joining(commanded, home, unused_port, 9), "--gateway", url]
        unknown, _ = said(asked, 1)
        assert ("certificate" in unknown["detail"], home.exists()) == (True, False)
        told, _ = said([*asked, "--gateway-ca", str(authority), "--wait", "0"], 1)
        authority.unlink()  # a copy is the agent's
        assert set(lacking(told)) == {"agent here", "on the ledger", "test purchase"}
        assert json.loads((home / "agent" / "agent.json").read_text())["agent"]["gateway_ca"] == "gateway_ca.pem"
        with running_agent(home):
            found = said(shlex.split(told["next_command"])[1:], 1)[0]["findings"]
        assert {each["name"] for each in found if not each["ok"]} == {"on the ledger", "test purchase"}
        assert f"{url} is there" in [each["said"] for each in found]
        again, _ = said([*asked, "--gateway-ca", str(home / "agent" / "gateway_ca.pem")], 0)
        assert again["operation"]["operation_id"] == told["operation"]["operation_id"]


@contextmanager
def _behind_tls(commanded: CommandedCoalition) -> Iterator[str]:
    """The gateway's URL at something before it that ends TLS, as in front of a real one."""
    certificate, key = commanded.tls
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Ending(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            inner = socket.create_connection(("127.0.0.1", int(commanded.url.rpartition(":")[2])))
            try:
                with inner, context.wrap_socket(self.request, server_side=True) as outer:
                    back = threading.Thread(target=_passed_on, args=(inner, outer), daemon=True)
                    back.start()
                    _passed_on(outer, inner)
                    back.join()
            except OSError:
                """Who does not believe the certificate goes away."""

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Ending) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def _passed_on(origin: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while received := origin.recv(65_536):
            target.sendall(received)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def test_a_registration_that_was_stopped_is_waited_for_no_longer(commanded: CommandedCoalition, tmp_path: Path, unused_port: int) -> None:
    home = tmp_path / "kiosk"
    told, _ = said(joining(commanded, home, unused_port, 6), 0)
    assert "checked" not in told
    act = commanded.proposed(told["operation"]["operation_id"])
    commanded.command("cancel", act["act_id"], person="guardian")
    commanded.ended(told["operation"]["operation_id"], "refused")
    told, beside = said(joining(commanded, home, unused_port, 6, "--wait", "100", key="auditor"), 1)
    assert "its registration was refused (cancelled): ask the operator why" in lacking(told)["on the ledger"]
    assert "waits on" not in beside


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--test-purchase",), "--test-purchase goes with --wait SECONDS"),
        (("--wait", "5", "--test-purchase", "0x12"), "--test-purchase is 0x12: a member's id is 0x and 40 hex digits"),
        (("--tls-key", "tls.key"), "--tls-certificate and --tls-key go together"),
        (("--gateway-ca", "none.pem"), "--gateway-ca is for a --gateway with https://"),
        (("--gateway", "https://127.0.0.1:9", "--gateway-ca", "none.pem"), "--gateway-ca cannot be used: none.pem: No such file"),
    ],
)
def test_what_cannot_be_is_named_before_anything_is_written(
    commanded: CommandedCoalition, tmp_path: Path, more: tuple[str, ...], named: str
) -> None:
    told, _ = said(joining(commanded, tmp_path / "none", 8_701, 8, *more), 1)
    assert named in told["detail"]
    assert not (tmp_path / "none").exists()
