"""The batch key of who starts unattended: from a credential of the system's or from a program that unwraps it, and never from elsewhere."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from gateway.brand_signer import key_source
from gateway.brand_signer.key import Key
from gateway.brand_signer.key_source import KeySource
from gateway.brand_signer.settings_reading import Reading
from gateway.secret_files import UnsafeFile

SECRET = "5a" * 32
ADDRESS = Key(bytes.fromhex(SECRET)).address
UNWRAP = "import sys; wrapped = bytes.fromhex(sys.stdin.read()); print(bytes(byte ^ 255 for byte in wrapped).hex())"
NOT_UNWRAPPED = {
    "ends with another code": "import sys; print('5a' * 32); sys.exit(3)",
    "prints nothing": "pass",
    "prints words": "print('5a' * 32, 'is the key')",
    "prints too little": "print('5a' * 31)",
    "prints a number that is no key": "print('00' * 32)",
    "prints for ever": "while True: print('5a' * 32)",
    "prints bytes": "import os; os.write(1, bytes(range(128, 192)))",
    "goes on": "import time; time.sleep(60)",
    "closes its output and goes on": "import os, time; os.close(1); time.sleep(60)",
    "leaves a child that goes on": "import os, time; os.fork() or time.sleep(60)",
}


def python(program: str) -> tuple[str, ...]:
    return sys.executable, "-c", program


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "batch-key").write_text(SECRET)
    (tmp_path / "batch-key").chmod(0o400)
    return tmp_path


def test_a_credential_is_the_key_and_no_file_is_made(credentials: Path) -> None:
    assert KeySource(credentials / "key", "batch-key").open().address == ADDRESS
    assert not (credentials / "key").exists()


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.chmod(0o640), lambda path: path.write_text("5a" * 31)])
def test_a_credential_that_is_none_is_named(credentials: Path, harm: Callable[[Path], object]) -> None:
    (credentials / "batch-key").chmod(0o600)
    harm(credentials / "batch-key")
    with pytest.raises(UnsafeFile, match="batch-key") as refused:
        KeySource(credentials / "key", "batch-key").open()
    assert "5a5a" not in str(refused.value)


def test_without_a_service_there_is_no_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(UnsafeFile, match="LoadCredentialEncrypted=batch-key"):
        KeySource(tmp_path / "key", "batch-key").open()


def test_a_program_unwraps_the_key_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a5" * 32)
    assert KeySource(tmp_path / "key", command=python(UNWRAP)).open().address == ADDRESS


@pytest.mark.parametrize("how", NOT_UNWRAPPED)
def test_a_program_that_does_not_is_named_in_time_and_nothing_that_it_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(key_source, "UNWRAP_SECONDS", 1.0)
    (tmp_path / "key").write_text("a5" * 32)
    began = monotonic()
    with pytest.raises(UnsafeFile, match=r"is no key|cannot be unwrapped by") as refused:
        KeySource(tmp_path / "key", command=python(NOT_UNWRAPPED[how])).open()
    assert monotonic() - began < 20
    assert "5a5a" not in str(refused.value)


def test_a_program_or_a_wrapped_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFile, match="No such file"):
        KeySource(tmp_path / "key", command=python(UNWRAP)).open()
    (tmp_path / "key").write_text("a5" * 32)
    with pytest.raises(UnsafeFile, match="/no/such: No such file"):
        KeySource(tmp_path / "key", command=("/no/such",)).open()
    assert os.listdir(tmp_path) == ["key"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "key must name a credential or a command"),
        ({"credential": "k", "command": ["x"]}, "key must name a credential or a command"),
        ({"credential": "../key"}, "key.credential must be a name"),
        ({"credential": 7}, "key.credential must be a text"),
        ({"command": []}, "key.command must be a list of texts"),
        ({"command": "aws kms"}, "key.command must be a list of texts"),
        ({"command": ["aws", ""]}, "key.command must be a list of texts"),
        ({"credential": "k", "file": "x"}, "key.file is no setting"),
        (None, "key must not be null"),
        ("k", "key must be an object"),
    ],
)
def test_settings_that_cannot_be_are_named(tmp_path: Path, given: Any, named: str) -> None:
    noted: list[str] = []
    key_source.key_source(Reading(json.loads(json.dumps({"key": given})), "", noted), tmp_path, "key")
    assert any(each.startswith(named) for each in noted), noted


def test_settings_name_a_file_a_credential_or_a_program(tmp_path: Path) -> None:
    def read(given: dict[str, Any]) -> KeySource:
        noted: list[str] = []
        found = key_source.key_source(Reading(given, "", noted), tmp_path, "key")
        assert noted == []
        return found

    assert read({}) == KeySource(tmp_path / "key")
    assert read({"key": {"credential": "batch-key"}}) == KeySource(tmp_path / "key", "batch-key")
    assert read({"key": {"command": ["unwrap", "--now"]}}) == KeySource(tmp_path / "key", None, ("unwrap", "--now"))
