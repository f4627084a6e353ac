"""Secrets are made for their owner alone, and refused by name where others may read them, whoever reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.access.operator_api_key import ensure_operator_api_key
from gateway.chain.operator_key import create_key_file, load_account
from gateway.secret_files import UnsafeFile, make_secret, read_or_make, read_secret
from gateway.store.migrations import migrate
from gateway.store.session import Database


def _operator_api_key(file: Path) -> None:
    database = Database(f"sqlite:///{file.parent / 'some.sqlite3'}")
    try:
        migrate(database.engine)
        ensure_operator_api_key(database, file)
    finally:
        database.close()


def _operator_key(file: Path) -> None:
    create_key_file(file)
    load_account(file)


@pytest.mark.parametrize("use", [_operator_api_key, _operator_key, read_or_make])
def test_a_loose_secret_is_refused_with_what_to_run(tmp_path: Path, use: Callable[[Path], object]) -> None:
    file = tmp_path / "secret"
    use(file)
    assert file.stat().st_mode & 0o777 == 0o600
    use(file)
    for mode in (0o640, 0o604, 0o620):
        file.chmod(mode)
        with pytest.raises(UnsafeFile, match=f"mode {mode:o}.*chmod 600 {file}"):
            use(file)
    file.chmod(0o600)
    use(file)


def test_a_secret_is_written_once(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "token"
    assert make_secret(file, "first")
    assert not make_secret(file, "second")
    assert read_secret(file) == "first"


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFile, match=r"missing cannot be read \(No such file"):
        read_secret(tmp_path / "missing")
    (tmp_path / "binary").touch(0o600)
    (tmp_path / "binary").write_bytes(bytes([255, 0]))
    with pytest.raises(UnsafeFile, match="holds no secret"):
        read_secret(tmp_path / "binary")


def test_what_the_command_line_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "made" / "here"
    arguments = ["--data-dir", str(data), "init", "--address"]
    done = subprocess.run([sys.executable, "-m", "gateway", *arguments], capture_output=True, text=True, check=False, umask=0o022)
    assert (done.returncode, done.stderr) == (0, "")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (data, data / "operator.key")}
    assert modes == {"here": 0o700, "operator.key": 0o600}
    assert os.access(data, os.W_OK)
