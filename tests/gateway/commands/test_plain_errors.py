"""What a user gets wrong, or the machine does not have, ends a command with one line that says what to do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.migrations import migrate
from gateway.store.session import Database


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def run(*arguments: object) -> tuple[int, list[str]]:
    """The exit status, and the lines on stderr."""
    command = [sys.executable, "-m", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stderr.splitlines()


def test_the_gateway_names_a_port_in_use(tmp_path: Path, taken_port: int) -> None:
    code, lines = run("gateway", "--data-dir", tmp_path, "serve", "--port", taken_port)
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith(f"refused (address_taken): cannot listen on 127.0.0.1, port {taken_port} (Address already in use)")
    assert "choose another --port" in lines[0]


def test_the_node_names_a_port_in_use(tmp_path: Path, taken_port: int) -> None:
    code, lines = run("node", "run", "--data", tmp_path / "node", "--init", "--port", taken_port)
    assert (code, len(lines)) == (1, 1)
    assert f"port {taken_port}: Address already in use; end what uses it, or choose another --port" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--data-dir", "{0}/none", "brands", "list"), "there is no database {0}/none/gateway.sqlite3: run `splittally init`"),
        (("--data-dir", "{0}/none", "audit"), "run `splittally init`"),
        (("--data-dir", "{0}/none", "status"), "there is no database {0}/none/gateway.sqlite3: run `splittally init`"),
        (("--data-dir", "{0}/file", "init"), "{0}/file/gateway.toml cannot be read (Not a directory)"),
        (("--config", "{0}/none.toml", "keys", "list"), "{0}/none.toml cannot be read (No such file or directory): name a file"),
        (("--config", "{0}", "keys", "list"), "{0} cannot be read (Is a directory)"),
        (("--config", "{0}/file", "keys", "list"), "{0}/file is not TOML"),
        (
            ("--database", "postgresql+nope://ann:s3cret@host/x", "keys", "list"),
            "a database of kind 'postgresql+nope' does not serve: give sqlite:///FILE or postgresql://",
        ),
        (
            ("--database", "postgresql://ann:s3cret@localhost:abc/x", "keys", "list"),
            "the database URL cannot be read: give sqlite:///",
        ),
        (("--database", "postgresql://[::1/x", "keys", "list"), "the database URL cannot be read"),
        (("--database", "postgresql://ann:p@s3cret@localhost/x", "keys", "list"), "an @ too many: one in a password is written %40"),
        (("--database", "sqlite://", "keys", "list"), "an SQLite database needs a file"),
        (("--database", "sqlite:///:memory:", "init"), "an SQLite database needs a file"),
        (
            ("--database", "postgresql://localhost/x?foo=s3cret", "keys", "list"),
            "see that it runs and that --data-dir or",
        ),
        (("--database", "oracle://ann:s3cret@host/x", "keys", "list"), "database_url is 'oracle://ann:***@host/x' (from --database)"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    (tmp_path / "file").write_text("no settings\n")
    before = sorted(tmp_path.iterdir())
    code, lines = run("gateway", *(argument.format(tmp_path) for argument in arguments))
    assert (code, len(lines)) == (1, 1)
    assert reason.format(tmp_path) in lines[0]
    assert "s3cret" not in lines[0]
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "70000"),
        ("serve", "--port", "many"),
        ("breaks", "list", "--brand", "0"),
        ("breaks", "list", "--brand", "1", "--limit", "-3"),
        ("breaks", "list", "--brand", "99999999999999999999"),
        ("receipt", "entry", "--brand", "1", "--batch", "99999999999999999999", "--index", "0"),
        ("breaks", "lists"),
        ("keys", "list", "--cvs"),
    ],
)
def test_a_bad_option_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    code, lines = run("gateway", *arguments)
    assert code == 2
    assert lines[-1].startswith("Error: ")
    assert not any("Traceback" in line for line in lines)


def test_what_cannot_be_printed_or_read_is_named(tmp_path: Path) -> None:
    created = [sys.executable, "-m", "gateway", "--database", f"sqlite:///{migrated(tmp_path)}", "keys"]
    with open("/dev/full", "w") as full:
        done = subprocess.run([*created, "list", "--json"], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["refused (output_failed): what is printed: No space left on device: make room"],
    )
    odd = [*map(os.fsencode, created), b"create", b"--role", b"operator", b"--label", b"\xff"]
    refused = subprocess.run(odd, capture_output=True, text=True, check=False, timeout=60)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert "not UTF-8" in refused.stderr


def migrated(folder: Path) -> Path:
    database = Database(f"sqlite:///{folder / 'gateway.sqlite3'}")
    migrate(database.engine)
    database.close()
    return folder / "gateway.sqlite3"


def test_troubles_are_json_where_asked_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "--data-dir", str(tmp_path / "none"), "keys", "list", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["code"], done.stderr) == (1, "unavailable", "")
