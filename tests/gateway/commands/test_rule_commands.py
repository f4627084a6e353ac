"""`splittally brand publisher-key` and `sign-rule`: a key of the brand's own, and what it signs without anybody's help."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import program
from gateway.loyalty.rule_document import RuleDocument
from gateway.values.ids import Address
from tests.builders.agents import agent_settings
from tests.builders.publishers import DOMAIN


@pytest.fixture
def publisher(tmp_path: Path) -> str:
    """Its key in `publisher`, and the settings of the agent that follows it in `agent.json`."""
    made = run("publisher-key", "--home", tmp_path / "publisher", "--json")
    address = str(json.loads(made.output)["address"])
    keep_settings(tmp_path, publisher=address)
    return address


def test_the_key_is_for_its_owner_alone_and_never_made_twice(publisher: str, tmp_path: Path) -> None:
    assert (tmp_path / "publisher").stat().st_mode & 0o777 == 0o700
    (key,) = (tmp_path / "publisher").iterdir()
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_text()
    assert run("publisher-key", "--home", tmp_path / "publisher").exit_code == 1
    assert key.read_text() == before


@pytest.mark.parametrize(("moment", "seconds"), [(None, 0), ("2017-03-15T10:30:00+01:00", 1_489_570_200)])
def test_what_is_signed_is_good_for_the_agents_brand_and_ledger(publisher: str, tmp_path: Path, moment: str | None, seconds: int) -> None:
    told = json.loads(sign(tmp_path, *(("--valid-from", moment) if moment else ())).output)
    document = RuleDocument(1, 2, 7, 100, seconds)
    assert (told["document"], told["document_hash"]) == (document.text(), str(document.hash))
    signed = json.loads((tmp_path / "rule-2.json").read_text())
    assert document.is_signed_by(Address.parse(publisher), bytes.fromhex(signed["signature"][2:]), DOMAIN)


def test_outside_a_sandbox_it_begins_now_unless_it_says_so(publisher: str, tmp_path: Path) -> None:
    keep_settings(tmp_path, publisher=publisher, sandbox=False)
    document = RuleDocument.parse(json.loads(sign(tmp_path).output)["document"])
    assert document.valid_from > 1_700_000_000


@pytest.mark.parametrize("of_whom", [None, "0x" + "12" * 20])
def test_nothing_is_signed_for_an_agent_that_does_not_follow_the_key(publisher: str, tmp_path: Path, of_whom: str | None) -> None:
    keep_settings(tmp_path, publisher=of_whom)
    refused = sign(tmp_path)
    assert (refused.exit_code, "write that as agent.publisher" in json.loads(refused.output)["detail"]) == (1, True)
    assert not (tmp_path / "rule-2.json").exists()


@pytest.mark.parametrize("moment", ["yesterday", "2017-03-15T10:30:00", "1969-01-01T00:00:00Z"])
def test_a_moment_that_is_none_is_named(publisher: str, tmp_path: Path, moment: str) -> None:
    assert moment in json.loads(sign(tmp_path, "--valid-from", moment).output)["detail"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"brand_id": 1, "coalition": {}, "agent": {}}', "[" * 100_000])
def test_settings_that_are_none_are_named(publisher: str, tmp_path: Path, text: str) -> None:
    (tmp_path / "agent.json").write_text(text)
    refused = sign(tmp_path)
    assert (refused.exit_code, "agent" in json.loads(refused.output)["detail"]) == (1, True)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"brand_id": "1"}'])
def test_a_file_without_a_signed_rule_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "rule.json").write_text(text)
    (tmp_path / "key").write_text("key")
    (tmp_path / "key").chmod(0o600)
    refused = run("publish-rule", tmp_path / "rule.json", "--gateway", "http://127.0.0.1:9", "--api-key-file", tmp_path / "key", "--json")
    assert (refused.exit_code, "sign-rule" in json.loads(refused.output)["detail"]) == (1, True)


def sign(folder: Path, *more: Any) -> Result:
    what = ("--version", 2, "--points", 7, "--per-minor", 100, "--output", folder / "rule-2.json", "--json")
    return run("sign-rule", "--settings", folder / "agent.json", "--home", folder / "publisher", *what, *more)


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(program(), ["brand", *map(str, arguments)])


def keep_settings(folder: Path, publisher: str | None, *, sandbox: bool = True) -> None:
    settings = agent_settings(8_700, "http://127.0.0.1:9")
    settings["coalition"]["sandbox"] = sandbox
    if publisher is not None:
        settings["agent"]["publisher"] = publisher
    (folder / "agent.json").write_text(json.dumps(settings))
