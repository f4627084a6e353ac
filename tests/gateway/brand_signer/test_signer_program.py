"""The signer as a program: its settings, its secrets, its HTTP, and a kill in between."""

from __future__ import annotations

import ast
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.brand_signer.__main__ import main
from gateway.brand_signer.config import BadConfig, load_config
from gateway.brand_signer.json_server import BODY_BYTES_MAX, serve_on
from gateway.brand_signer.routes import PUBLIC, routes_of
from gateway.brand_signer.sign_batch import BatchRequest
from gateway.secret_files import UnsafeFile, read_or_make
from tests.gateway.brand_signer.brand_books import BRAND, DOMAIN, Brand, batch, expire, issue

ROOT = Path(__file__).resolve().parents[3]


SHARED = ("gateway.brand_signer", "gateway.ledger", "gateway.secret_files", "gateway.values")
PURE_RULES = ("gateway.loyalty.rule", "gateway.loyalty.evaluate", "gateway.foreign.reading")


def test_the_program_knows_nothing_of_the_gateway_but_the_ledger_format_and_pure_rules() -> None:
    for source in (ROOT / "gateway" / "brand_signer").glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] not in ("web3", "node", "scripts", "sqlalchemy", "fastapi"), f"{source.name} imports {name}"
                assert not name.startswith("gateway") or name.startswith(SHARED) or name in PURE_RULES, name


def test_a_batch_signed_before_a_kill_has_the_same_signature_afterwards(brand: Brand) -> None:
    _write_config(brand.folder)
    brand.sell("p-1", 1_000)
    request = _body(batch(1, issue("p-1", 9)))
    with _program(brand.folder) as client:
        healthy = client.get("/healthz").json()
        first = client.post("/sign-batch", json=request)
        assert first.status_code == 200
    with _program(brand.folder) as client:
        assert client.get("/healthz").json() == healthy == {"status": "ok", "brand_id": BRAND, "address": healthy["address"]}
        assert client.post("/sign-batch", json=request).json() == first.json()
        assert client.post("/signed-batch", json={"number": 1}).json()["entries"] == request["entries"]
        assert client.post("/signed-batch", json={"number": 2}).status_code == 404
        refused = client.post("/sign-batch", json=_body(batch(2, issue("p-1", 9), issue("p-2", 9))))
        assert refused.status_code == 409
        assert refused.json() == {
            "refused": [{"index": 0, "reason": "already_signed", "number": 1}, {"index": 1, "reason": "unknown_sale"}]
        }
        used = client.post("/sign-batch", json=_body(batch(1, issue("p-2", 9))))
        assert (used.status_code, used.json()["error"]) == (409, "number_used")
        wrong = client.post("/sign-batch", json={**request, "details": []})
        assert (wrong.status_code, wrong.json()["error"]) == (422, "wrong_details")
        with (brand.folder / "sales.jsonl").open("a") as register:
            register.write("no record\n")
        damaged = client.post("/sign-batch", json=_body(batch(2, issue("p-2", 9))))
        assert (damaged.status_code, damaged.json()["error"]) == (503, "damaged_register")


@pytest.mark.parametrize("sandbox", [None, False, True])
def test_points_expire_by_the_programs_own_clock_unless_its_settings_say_sandbox(brand: Brand, sandbox: bool | None) -> None:
    """Settings of an earlier version do not say: they are no sandbox's."""
    config = _write_config(brand.folder)
    values = json.loads(config.read_text())
    values["coalition"] |= {} if sandbox is None else {"sandbox": sandbox}
    config.write_text(json.dumps(values))
    with _program(brand.folder) as client:
        assert client.post("/sign-batch", json=_body(batch(1, expire(5)))).status_code == 200
        answer = client.post("/sign-batch", json=_body(batch(2, expire(5, 2**32 - 1))))
        refused = {"refused": [{"index": 0, "reason": "lot_not_expired"}]}
        assert (answer.status_code == 200) if sandbox else ((answer.status_code, answer.json()) == (409, refused))


@pytest.mark.parametrize("change", [
    {"number": -1}, {"number": True}, {"number": "1"}, {"number": 2**64}, {"deadline": 2**40}, {"brand_id": None}, {"entries": "abc"},
    {"entries": "0xabc"}, {"entries": "0x1_"}, {"details": {}}, {"details": ["issue"]},
])  # fmt: skip
def test_a_malformed_request_is_answered_with_400(brand: Brand, change: dict[str, Any]) -> None:
    with _served(brand) as client:
        answer = client.post("/sign-batch", json={**_body(batch(1, issue("p-1", 9))), **change})
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


def test_only_the_bearer_of_the_token_may_ask(brand: Brand) -> None:
    with _served(brand) as client:
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic token"}, {"Authorization": b"Bearer t\xf6ken"}):
            answer = httpx.post(f"{client.base_url}/sign-batch", json={}, headers=header)
            assert (answer.status_code, answer.json()["error"]) == (401, "not_authenticated")
        assert httpx.get(f"{client.base_url}/healthz").status_code == 200
        assert client.post("/elsewhere", json={}).status_code == 404


def test_bodies_that_are_too_large_or_no_json_are_refused_before_they_are_used(brand: Brand) -> None:
    with _served(brand) as client:
        plain = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
        for length, status in ((str(BODY_BYTES_MAX + 1), 413), ("-1", 400), ("²", 400)):
            plain.putrequest("POST", "/sign-batch")
            plain.putheader("Authorization", "Bearer token")
            plain.putheader("Content-Length", length.encode())
            plain.endheaders()
            assert plain.getresponse().status == status
            plain.close()
        assert client.post("/sign-batch", content=b"{").status_code == 400
        assert client.post("/sign-batch", content=b"[" * 100_000).status_code == 400
        assert client.post("/sign-batch", content=b"[]").status_code == 400


def test_nothing_but_loopback_is_listened_on() -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        serve_on("0.0.0.0", 0, "token", {})


def test_a_secret_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    secret = read_or_make(tmp_path / "folder" / "key")
    assert (tmp_path / "folder" / "key").stat().st_mode & 0o777 == 0o600
    assert read_or_make(tmp_path / "folder" / "key") == secret
    assert read_or_make(tmp_path / "folder" / "token") != secret
    (tmp_path / "folder" / "key").chmod(0o640)
    with pytest.raises(UnsafeFile, match="read by others"):
        read_or_make(tmp_path / "folder" / "key")


def test_a_secret_file_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("hello")
    path.chmod(0o600)
    with pytest.raises(UnsafeFile, match="32 bytes"):
        read_or_make(path)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    _write_config(tmp_path)
    config = json.loads((tmp_path / "signer.json").read_text())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for port, reason in ((taken.getsockname()[1], "Address already in use"), (70_000, "no port has this number")):
            config["listen"]["port"] = port
            (tmp_path / "signer.json").write_text(json.dumps(config))
            command = [sys.executable, "-m", "gateway.brand_signer", "--config", str(tmp_path / "signer.json")]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
            said = f"brand signer: cannot listen on 127.0.0.1, port {port} ({reason}): end what uses it, or set another port\n"
            assert (done.returncode, done.stderr) == (1, said)


def test_settings_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "none" / "signer.json")]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("signer.json cannot be read (No such file or directory): name the settings (JSON) with --config")


def test_the_address_is_printed_before_anything_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write_config(tmp_path)
    assert main(["--config", str(tmp_path / "signer.json"), "--address"]) == 0
    assert len(capsys.readouterr().out.strip()) == 42


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (("listen", "host"), "0.0.0.0", "loopback"),
        (("listen", "port"), "80", "port"),
        (("brand_id",), -1, "brand_id"),
        (("coalition", "coalition_id"), "0x00", "coalition_id"),
        (("coalition", "sandbox"), 1, "sandbox"),
        (("programme", "earn_on_tax"), 1, "earn_on_tax"),
        (("programme", "speed"), 1, "speed"),
        (("programme", "rules"), [{"version": 1, "points": 1, "per_minor": 0, "valid_from": 0}], "per_minor"),
    ],
)
def test_a_setting_that_cannot_be_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: tuple[str, ...], value: object, named: str
) -> None:
    config = _write_config(tmp_path)
    values = json.loads(config.read_text())
    inner = values
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    config.write_text(json.dumps(values))
    with pytest.raises(BadConfig, match=named):
        load_config(config)
    assert main(["--config", str(config)]) == 1
    assert named in capsys.readouterr().err


def test_everything_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    config = tmp_path / "signer.json"
    programme = {
        "rules": [{"version": 1, "points": "1", "per_minor": 0, "valid_form": 0}],
        "earn_on_tax": "yes",
        "redemption": {"minor": 1},
    }
    config.write_text(json.dumps({"brand": 5, "listen": {"host": "::", "port": True}, "coalition": [], "programme": programme}))
    with pytest.raises(BadConfig) as wrong:
        load_config(config)
    assert str(wrong.value).removeprefix(f"{config}: ").split("; ") == [
        "brand_id is missing",
        "coalition must be an object {…}",
        "listen.host is ::, which is not a loopback address: write 127.0.0.1",
        "listen.port must be a whole number from 0 on",
        "programme.rules[0].points must be a whole number from 0 on",
        "programme.rules[0].per_minor must be a whole number from 1 on",
        "programme.rules[0].valid_from is missing",
        "programme.rules[0].valid_form is no setting: take it out, or is one of per_minor, points, valid_from, version meant?",
        "programme.earn_on_tax must be true or false",
        "programme.lot_validity_months is missing",
        "programme.unlisted_points_max is missing",
        "programme.redemption.points is missing",
        "brand is no setting: take it out, or is one of brand_id, coalition, files, key, listen, programme meant?",
    ]


def test_no_settings_at_all_are_named_too(tmp_path: Path) -> None:
    config = tmp_path / "signer.json"
    for text, named in (("{}", "brand_id is missing; listen is missing; coalition is missing; programme is missing"), ("[]", "the whole")):
        config.write_text(text)
        with pytest.raises(BadConfig, match=named):
            load_config(config)


def _write_config(folder: Path) -> Path:
    config = {
        "brand_id": BRAND,
        "listen": {"host": "127.0.0.1", "port": 0},
        "coalition": {
            "coalition_id": str(DOMAIN.coalition_id),
            "chain_id": DOMAIN.chain_id,
            "points_address": str(DOMAIN.verifying_contract),
            "utc_offset_seconds": 0,
        },
        "programme": {
            "rules": [{"version": 1, "points": 1, "per_minor": 100, "valid_from": 0}],
            "earn_on_tax": False,
            "lot_validity_months": 2,
            "unlisted_points_max": 0,
        },
    }
    path = folder / "signer.json"
    path.write_text(json.dumps(config))
    secret = folder / "reference_secret"
    secret.write_text((b"s" * 32).hex())
    secret.chmod(0o600)
    return path


def _body(request: BatchRequest) -> dict[str, Any]:
    return {
        "brand_id": request.brand_id,
        "number": request.number,
        "deadline": request.deadline,
        "entries": "0x" + request.entries.hex(),
        "details": list(request.details),
    }


@contextmanager
def _program(folder: Path) -> Iterator[httpx.Client]:
    """The program in a process of its own; it is killed at the end."""
    command = [sys.executable, "-m", "gateway.brand_signer", "--config", str(folder / "signer.json")]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            token = (folder / "token").read_text().strip()
            with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
                yield client
        finally:
            process.send_signal(signal.SIGKILL)


@contextmanager
def _served(brand: Brand) -> Iterator[httpx.Client]:
    """The routes in this process."""
    server = serve_on("127.0.0.1", 0, "token", routes_of(brand.signer(), BRAND), PUBLIC)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with httpx.Client(base_url=server.url, headers={"Authorization": "Bearer token"}) as client:
            yield client
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
