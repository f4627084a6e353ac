"""`splittally brand init` and `check` on a coalition that runs: what is written, who may do what, and what is lacking at each step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from gateway.cli import program
from gateway.secret_files import read_secret
from tests.builders.commanded_coalition import DELAY, CommandedCoalition
from tests.node.running_node import ROOT, throwaway_account

BRAND = 5
ANOTHER = ("--brand-id", "6", "--name", "Bakery")
TERMS = ("--name", "Café", "--brand-id", str(BRAND), "--points", "2", "--per-minor", "100", "--par", "9/10", "--listen")


def test_a_brand_joins_step_by_step(commanded: CommandedCoalition, tmp_path: Path, unused_port: int) -> None:
    home = tmp_path / "cafe"
    listen = f"127.0.0.1:{unused_port}"
    by_auditor = _init(commanded, home, listen, commanded.folder / "people" / "auditor-api.key")
    assert (by_auditor["operation"], by_auditor["api_key_file"]) == (None, None)
    assert f"2 of 3 approvers, who sign no sooner than {DELAY // 3_600} h" in by_auditor["waits_for"]
    _check_directory(commanded, home, by_auditor)

    registered = _init(commanded, home, listen, commanded.operator_folder / "operator-api.key")
    assert {name: registered[name] for name in ("key_address", "owner_address")} == {
        name: by_auditor[name] for name in ("key_address", "owner_address")
    }, "the same keys, the second time"
    assert (registered["signer"]["result"], registered["api_key_file"]) == ("not_there", str(home / "agent" / "gateway_key"))
    again = _init(commanded, home, listen, commanded.operator_folder / "operator-api.key")
    assert again["operation"]["operation_id"] == registered["operation"]["operation_id"]
    assert _lacking(_check(commanded, home)) == {"agent here", "on the ledger"}

    with running_agent(home):
        assert _lacking(_check(commanded, home)) == {"on the ledger"}
        commanded.carried_out(registered["operation"]["operation_id"])
        _check_registered(commanded, home, listen, registered["operation"]["operation_id"])
        assert _lacking(_until_it_earns(commanded, home)) == {"document of its keys", "takes points", "its points are taken"}
        _owner_says(commanded, home)
        assert "nothing was written" in _check(commanded, home, "--test-purchase", "0x12", succeeds=False)["detail"]
        nobodys = _check(commanded, home, "--test-purchase", "0x" + "77" * 20)
        assert _lacking(nobodys) == {"test purchase"}
        assert nobodys["findings"][-1]["said"].endswith("it is ended: not_found; there is no member 0x" + "77" * 20)
        member = _member(commanded)
        checked = _check(commanded, home, "--test-purchase", member)
        assert _lacking(checked) == set()
        assert f"{commanded.url} is there" in [each["said"] for each in checked["findings"]]
        assert checked["findings"][-1]["said"].split(" is ")[1].startswith("confirmed, 1 points in block")
        _change_the_rule(commanded, home)
        checked = _check(commanded, home, "--test-purchase", member)
        assert "confirmed, 3 points" in checked["findings"][-1]["said"]
        _rotate_token(home)
    with running_agent(home):
        lacking = {each["name"]: each["said"] for each in _check(commanded, home)["findings"] if not each["ok"]}
        assert "has another token" in lacking.pop("agent seen from the gateway")
        assert lacking == {}
    for wrong, why in ((commanded.url + "/v1", "is no gateway"), (commanded.node.url, "is no gateway"), ("http://127.0.0.1:9", "refused")):
        _wrong_gateway(commanded, home, member, wrong, why)


def _check_registered(commanded: CommandedCoalition, home: Path, listen: str, operation_id: str) -> None:
    """Said once more, `init` tells what is so now."""
    operator = commanded.operator_folder / "operator-api.key"
    again = _init(commanded, home, listen, operator)
    assert (again["operation"]["status"], again["waits_for"]) == ("confirmed", None)
    asked = ["brand", "init", "--dir", str(home), "--gateway", commanded.url, "--rpc", commanded.node.url, *TERMS, listen]
    for key, told in (
        (operator, f"operation {operation_id} (confirmed)"),
        (commanded.folder / "people" / "auditor-api.key", "is registered"),
    ):
        said = CliRunner().invoke(program(), [*asked, "--api-key-file", str(key)]).output
        assert (told in said, "waits for" in said, f"{sys.executable} -m gateway.brand_agent" in said) == (True, False, True), said


def _wrong_gateway(commanded: CommandedCoalition, home: Path, member: str, wrong: str, why: str) -> None:
    path = home / "agent" / "agent.json"
    right = path.read_text()
    settings = json.loads(right)
    settings["agent"]["gateway_url"] = wrong
    path.write_text(json.dumps(settings))
    name = "gateway seen from the agent"
    with running_agent(home):
        begun = monotonic()
        lacking = {each["name"]: each["said"] for each in _check(commanded, home, "--test-purchase", member)["findings"] if not each["ok"]}
        assert monotonic() - begun < 10
        assert (f"agent.gateway_url in {path} is {wrong}: " in lacking[name], why in lacking[name]) == (True, True), lacking
        assert lacking["test purchase"] == "none was made: first put right what is lacking"
        path.write_text(right)
        assert "start the agent again" in {each["name"]: each["said"] for each in _check(commanded, home)["findings"]}[name]


def test_a_managed_brand_starts_unattended_and_leaves_by_a_key_of_its_own(
    commanded: CommandedCoalition, tmp_path: Path, unused_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, credentials, number = tmp_path / "kiosk", tmp_path / "credentials", 7
    operator, more = commanded.operator_folder / "operator-api.key", ("--managed", "--key-credential", "batch-key")
    said = _init(commanded, home, f"127.0.0.1:{unused_port}", operator, "--brand-id", str(number), "--name", "Kiosk", *more)
    credentials.mkdir()
    (home / "agent" / "key").rename(credentials / "batch-key")
    by_hand = [sys.executable, "-m", "gateway.brand_agent", "--config", str(home / "agent" / "agent.json")]
    alone = subprocess.run(by_hand, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (alone.returncode, "LoadCredentialEncrypted=batch-key" in alone.stderr) == (1, True)
    assert not (home / "agent" / "key").exists(), "no other key is made"

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    with running_agent(home):
        commanded.carried_out(said["operation"]["operation_id"])
        brand = commanded.get(f"/v1/brands/{number}")
        assert (brand["managed"], [key["managed"] for key in brand["keys"]]) == (True, [True])
        found = {each["name"]: each for each in _until_it_earns(commanded, home)["findings"]}
        assert found["agent here"]["ok"]
        assert found["batch key"]["said"] == f"{said['key_address']} signs its batches (managed: the operator holds it)"
        own = ("--brand", str(number), "--home", str(home / "owner"), "--api-key-file", str(home / "agent" / "gateway_key"))
        for key in ((throwaway_account("the kiosk's own").address,), (said["key_address"], "--withdraw", "--managed")):
            commanded.ended(_run(commanded, "brand", "key", "--key", *key, *own)["operation_id"], "confirmed")
        assert commanded.get(f"/v1/brands/{number}")["managed"] is False


def test_every_wrong_option_is_named_at_once_and_nothing_is_written(commanded: CommandedCoalition, tmp_path: Path) -> None:
    auditor = commanded.folder / "people" / "auditor-api.key"
    wrong = ("--par", "x", "--redemption", "1/0", "--owner", "me", "--publisher", "0x12")
    refused = _init(commanded, tmp_path / "cafe", "0.0.0.0:99999", auditor, *wrong, succeeds=False)
    named = {"--par", "--redemption", "--listen", "--owner", "--publisher"}
    assert {one["field"] for one in refused["facts"]["errors"]} == named
    assert all(one in refused["detail"] for one in named)
    assert not (tmp_path / "cafe").exists()


def test_other_settings_in_the_same_directory_are_refused(commanded: CommandedCoalition, tmp_path: Path) -> None:
    auditor = commanded.folder / "people" / "auditor-api.key"
    _init(commanded, tmp_path / "cafe", "127.0.0.1:8701", auditor, *ANOTHER)
    refused = _init(commanded, tmp_path / "cafe", "127.0.0.1:8702", auditor, *ANOTHER, succeeds=False)
    assert "agent.json says something else of listen.port: give what was given the first time" in refused["detail"]
    path = tmp_path / "cafe" / "agent" / "agent.json"
    settings = json.loads(path.read_text())
    settings["coalition"]["coalition_id"] = "0x" + "07" * 32
    path.write_text(json.dumps(settings))
    of_before = _init(commanded, tmp_path / "cafe", "127.0.0.1:8701", auditor, *ANOTHER, succeeds=False)
    assert "is of another coalition (coalition.coalition_id differ): stop that agent" in of_before["detail"]


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--par", "1", "--par is 1"),
        ("--owner", "0x12", "--owner is 0x12"),
        ("--listen", "8700", "--listen is 8700"),
        ("--listen", "shop:8700", "--signer-url"),
    ],
)
def test_what_cannot_be_is_named(commanded: CommandedCoalition, tmp_path: Path, option: str, value: str, named: str) -> None:
    auditor = commanded.folder / "people" / "auditor-api.key"
    assert named in _init(commanded, tmp_path / "cafe", "127.0.0.1:8701", auditor, *ANOTHER, option, value, succeeds=False)["detail"]


@pytest.mark.parametrize("wrong", ["number", "name"])
def test_a_brand_that_is_there_already_is_named_before_anything_is_written(
    commanded: CommandedCoalition, tmp_path: Path, wrong: str
) -> None:
    there = commanded.get("/v1/brands/1")
    asked = ("--brand-id", "1") if wrong == "number" else ("--brand-id", "6", "--name", there["name"])
    auditor = commanded.folder / "people" / "auditor-api.key"
    refused = _init(commanded, tmp_path / "cafe", "127.0.0.1:8701", auditor, *asked, succeeds=False)
    assert "nothing was written" in refused["detail"]
    assert there["name"] in refused["detail"]
    assert not (tmp_path / "cafe").exists()


def test_a_directory_without_settings_and_wrong_settings_are_named(commanded: CommandedCoalition, tmp_path: Path) -> None:
    assert "begin with `splittally brand init`" in _check(commanded, tmp_path / "none", succeeds=False)["detail"]
    auditor = commanded.folder / "people" / "auditor-api.key"
    _init(commanded, tmp_path / "cafe", "127.0.0.1:8701", auditor, *ANOTHER)
    path = tmp_path / "cafe" / "agent" / "agent.json"
    settings = json.loads(path.read_text())
    settings["listen"]["port"] = "x"
    del settings["programme"]["rules"]
    path.write_text(json.dumps(settings))
    first = _check(commanded, tmp_path / "cafe", "--api-key-file", str(auditor))["findings"][0]
    assert (first["name"], first["ok"]) == ("settings", False)
    assert "listen.port must be a whole number from 0 on; programme.rules is missing" in first["said"]


def _run(commanded: CommandedCoalition, *arguments: str, succeeds: bool | None = True) -> Any:
    done = CliRunner().invoke(program(), [*arguments, "--gateway", commanded.url, "--rpc", commanded.node.url, "--json"])
    assert succeeds is None or (done.exit_code == 0) == succeeds, done.output
    return json.loads(done.output)


def _init(commanded: CommandedCoalition, home: Path, listen: str, api_key: Path, *more: str, succeeds: bool = True) -> Any:
    asked = ["brand", "init", "--dir", str(home), "--api-key-file", str(api_key), *TERMS, listen, *more]
    return _run(commanded, *asked, succeeds=succeeds)


def _check(commanded: CommandedCoalition, home: Path, *more: str, succeeds: bool | None = None) -> Any:
    return _run(commanded, "brand", "check", "--dir", str(home), *more, succeeds=succeeds)


def _lacking(checked: dict[str, Any]) -> set[str]:
    found = {each["name"] for each in checked["findings"] if not each["ok"]}
    assert checked["ok"] == (not found)
    return found


def _check_directory(commanded: CommandedCoalition, home: Path, said: dict[str, Any]) -> None:
    for folder in (home, home / "agent", home / "owner", home / "publisher", home / "till"):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    for file in (
        "registration.json",
        "agent/key",
        "agent/token",
        "agent/reference_secret",
        "agent/agent.json",
        "till/token",
        "owner/owner.key",
        "publisher/owner.key",
    ):
        assert (home / file).stat().st_mode & 0o777 == 0o600, file
    body = json.loads((home / "registration.json").read_text())
    assert (body["key_address"], body["owner_address"]) == (said["key_address"], said["owner_address"])
    settings = json.loads((home / "agent" / "agent.json").read_text())
    assert body["publisher_address"] == said["publisher_address"] == settings["agent"]["publisher"]
    assert settings["programme"]["rules"] == []
    assert (body["signer_token"], body["par"]) == (read_secret(home / "agent" / "token"), {"numerator": 9, "denominator": 10})
    for secret in ("agent/key", "owner/owner.key", "publisher/owner.key"):
        assert read_secret(home / secret).removeprefix("0x") not in (home / "registration.json").read_text()
    coalition = json.loads((home / "agent" / "agent.json").read_text())["coalition"]
    assert coalition["sandbox"] is True
    assert commanded.get("/v1/coalition") | coalition == commanded.get("/v1/coalition")


def _until_it_earns(commanded: CommandedCoalition, home: Path) -> Any:
    """The agent asks for its rules every few seconds."""
    for _ in range(60):
        checked = _check(commanded, home)
        if "earning rule" not in _lacking(checked):
            return checked
        sleep(0.5)
    raise AssertionError(checked)


def _change_the_rule(commanded: CommandedCoalition, home: Path) -> None:
    signed = home / "rule-2.json"
    asked = ["brand", "sign-rule", "--settings", str(home / "agent" / "agent.json"), "--home", str(home / "publisher"), "--version", "2"]
    asked += ["--points", "3", "--per-minor", "1", "--output", str(signed)]
    first = CliRunner().invoke(program(), asked)
    assert first.exit_code == 0, first.output
    assert f"Version 2 of brand {BRAND}: 3 points for every 1 minor units, as soon as the agent has confirmed it" in first.output
    again = CliRunner().invoke(program(), asked)
    assert (again.exit_code, "is there already" in again.output) == (1, True)
    own = ["--gateway", commanded.url, "--api-key-file", str(home / "agent" / "gateway_key")]
    done = CliRunner().invoke(program(), ["brand", "publish-rule", str(signed), *own, "--json"])
    assert (done.exit_code, json.loads(done.output)["status"]) == (0, "published")
    for _ in range(60):
        rules = commanded.get(f"/v1/brands/{BRAND}/rules")["rules"]
        if rules[-1]["status"] == "in_force":
            return
        sleep(0.5)
    raise AssertionError(rules)


def _owner_says(commanded: CommandedCoalition, home: Path) -> None:
    own = ("--home", str(home / "owner"), "--api-key-file", str(home / "agent" / "gateway_key"))
    key = json.loads((home / "registration.json").read_text())["key_address"]
    _run(commanded, "brand", "publish", "--brand", str(BRAND), "--batch-key", key, "--agent", key, *own)
    answers = _run(commanded, "brand", "accept", "--brand", str(BRAND), "--issuer", "1", "--most", "10", *own)
    answers += commanded.command("brand", "accept", "--brand", "1", "--issuer", str(BRAND), "--most", "10", person="owner")
    for each in answers:
        commanded.ended(each["operation_id"], "confirmed")


def _member(commanded: CommandedCoalition) -> str:
    account = throwaway_account("a member of the newcomer's")
    body = {"authorizer": {"kind": 1, "address": account.address}, "salt": "0x" + "07" * 32}
    enrolled = commanded.post("/v1/members", body)
    commanded.ended(enrolled["operation"]["operation_id"], "confirmed")
    return str(enrolled["member_id"])


def _rotate_token(home: Path) -> None:
    (home / "agent" / "token").write_text("ab" * 32)


@contextmanager
def running_agent(home: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "gateway.brand_agent", "--config", str(home / "agent" / "agent.json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    assert process.stdout is not None
    url = process.stdout.readline().rsplit(" ", 1)[1].strip()
    try:
        if url.startswith("http:"):
            assert httpx.get(f"{url}/healthz").status_code == 200
        yield
    finally:
        process.terminate()
        process.communicate(timeout=30)
