"""Who is on the machine reads nothing of the gateway's: the database, the files beside it and the data directory are its user's alone."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.config import settings_of
from gateway.secret_files import UnsafeFile, make_private_folder
from gateway.store.session import Database
from tests.on_postgresql import SERVER

pytestmark = pytest.mark.skipif(bool(SERVER), reason="the files are SQLite's")


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def written(file: Path) -> Database:
    database = Database(f"sqlite:///{file}")
    with database.write() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS some (thing TEXT)"))
    return database


def test_a_new_database_is_its_owners_alone_under_any_umask(tmp_path: Path) -> None:
    database = written(tmp_path / "gateway.sqlite3")
    files = list(tmp_path.iterdir())
    assert {file.name for file in files} == {"gateway.sqlite3", "gateway.sqlite3-wal", "gateway.sqlite3-shm", "gateway.sqlite3-turn"}
    assert {mode(file) for file in files} == {0o600}
    database.close()


def test_a_database_that_was_open_to_others_is_closed_to_them_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = written(tmp_path / "gateway.sqlite3")
    for file in tmp_path.iterdir():
        file.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        second = written(tmp_path / "gateway.sqlite3")
    assert {mode(file) for file in tmp_path.iterdir()} == {0o600}
    assert "gateway.sqlite3-wal was open to others (mode 644)" in caplog.text
    first.close()
    second.close()


def test_the_data_directory_is_closed_to_others_made_or_found(tmp_path: Path) -> None:
    new, found = tmp_path / "new", tmp_path / "found"
    found.mkdir(mode=0o755)
    for folder in (new, found):
        make_private_folder(settings_of({"data_dir": folder}).data_dir)
        assert mode(folder) == 0o700


def test_what_belongs_to_another_user_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    monkeypatch.setattr(Path, "chmod", refuse)  # tests may run as a user to whom everything belongs
    with pytest.raises(UnsafeFile, match=f"chmod go= {folder}"):
        make_private_folder(folder)
