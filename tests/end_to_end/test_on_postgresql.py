"""The main job and where its rows stand: PostgreSQL gives the totals of SQLite, also when it is killed on the way."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, text

from scripts import postgresql
from tests.depth import at_soak_alone, in_a_soak
from tests.end_to_end import demo_run
from tests.end_to_end.demo_run import totals

pytestmark = [pytest.mark.deep, pytest.mark.timeout(1800)]

KILLS = in_a_soak(20, 5)
AWAY_SECONDS = (0.2, 3.0)


@pytest.fixture(scope="module")
def server() -> Iterator[postgresql.PostgresServer]:
    programs = postgresql.find_programs()
    if programs is None:
        assert os.environ.get("CI") != "true"
        pytest.skip("no PostgreSQL server here")
    server = postgresql.PostgresServer(programs, synced=True)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def create(server: postgresql.PostgresServer, name: str) -> str:
    """The URL of a new, empty database."""
    with closing(psycopg.connect(server.url, autocommit=True)) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING UTF8 LOCALE 'C'").format(sql.Identifier(name)))
    return server.url.replace("/postgres?", f"/{name}?")


@at_soak_alone
def test_the_totals_are_those_on_sqlite(server: postgresql.PostgresServer, summary: dict[str, Any], tmp_path: Path) -> None:
    arguments = *demo_run.REDUCED, "--seed", demo_run.SEED
    on_postgresql = demo_run.run_once(tmp_path / "demo", "--database", create(server, "undisturbed"), *arguments)
    assert totals(on_postgresql) == totals(summary)


def test_a_database_killed_on_the_way_loses_and_doubles_nothing(
    server: postgresql.PostgresServer, summary: dict[str, Any], tmp_path: Path
) -> None:
    url = create(server, "killed")
    data = tmp_path / "demo"
    arguments = ("--once", "--json", str(data.with_suffix(".json")), *demo_run.REDUCED, "--seed", demo_run.SEED)
    process = demo_run.start(data, "--database", url, *arguments)
    kills = _kill_at_random(server, process, data, summary["seconds"]["walk"])
    killed = demo_run.run_once_finished(process, data)
    assert kills == KILLS, f"only {kills} kills fell into the walk"
    assert totals(killed) == totals(summary)
    assert all(verdict == "ok" or verdict.startswith("not applicable") for verdict in killed["audit"].values())
    _assert_each_acknowledged_operation_ended_once(url, data)
    assert (killed["database"]["kind"], summary["database"]["kind"]) == ("PostgreSQL", "SQLite")
    assert not list((data / "gateway").glob("*.sqlite3*"))
    assert "The gateway's rows: PostgreSQL" in data.with_suffix(".log").read_text()
    _assert_other_databases_are_refused(server, url, data)


def _assert_other_databases_are_refused(server: postgresql.PostgresServer, url: str, data: Path) -> None:
    """One that is not the walk's in `data`, one that is not empty, and one that is not there."""
    arguments, second = (*demo_run.REDUCED, "--seed", demo_run.SEED), data.with_name("second")
    assert "leave --database out" in _refused(data, "--database", create(server, "other"), *arguments)
    assert "holds another walk or something else" in _refused(second, "--database", url, *arguments)
    shutil.rmtree(second)
    assert "see that it runs" in _refused(second, "--database", "postgresql://ann:s3cret@127.0.0.1:1/points", *arguments)
    assert "s3cret" not in second.with_suffix(".log").read_text()


@at_soak_alone
def test_a_walk_on_its_database_goes_on_without_its_being_named(server: postgresql.PostgresServer, tmp_path: Path) -> None:
    short = ("--households", "12", "--days", "3")
    summary = demo_run.run_once(tmp_path / "demo", "--database", create(server, "kept"), *short)
    assert demo_run.run_once(tmp_path / "demo", *short)["ledger"]["coalition_id"] == summary["ledger"]["coalition_id"]


@at_soak_alone
def test_a_walk_whose_directory_was_moved_goes_on(tmp_path: Path) -> None:
    short = ("--households", "12", "--days", "3")
    first = demo_run.run_once(tmp_path / "demo", *short)
    (tmp_path / "demo").rename(tmp_path / "moved")
    assert demo_run.run_once(tmp_path / "moved", *short)["ledger"]["coalition_id"] == first["ledger"]["coalition_id"]
    assert not (tmp_path / "demo").exists()


def _refused(data: Path, *arguments: str) -> str:
    process = demo_run.start(data, "--once", *arguments)
    assert process.wait(timeout=120) == 1
    return " ".join(data.with_suffix(".log").read_text().split())


def _kill_at_random(server: postgresql.PostgresServer, process: subprocess.Popen[str], data: Path, walk_seconds: float) -> int:
    """Kills the server while the walk runs and starts it again after a while; the pauses are drawn so that all kills fall into it."""
    dice = random.Random(f"{demo_run.SEED} kills of the database")
    while not list((data / "walk").glob("*.json")):
        assert process.poll() is None, data.with_suffix(".log").read_text()[-4000:]
        time.sleep(0.1)
    for kill in range(KILLS):
        time.sleep(dice.uniform(0, 2 * walk_seconds / KILLS * 0.8))
        if process.poll() is not None or (data / "payment-files").exists():
            return kill
        server.kill()
        time.sleep(dice.uniform(*AWAY_SECONDS))
        server.start()
    return KILLS


def _assert_each_acknowledged_operation_ended_once(url: str, data: Path) -> None:
    acknowledged = demo_run.acknowledged_operations(data)
    assert acknowledged
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        ended = set(connection.scalars(text("SELECT operation_id FROM operations WHERE status IN ('confirmed', 'refused')")))
        doubled = connection.execute(
            text(
                "SELECT brand_id, reference, COUNT(*) FROM ledger_entries WHERE refused_reason IS NULL AND reference IS NOT NULL "
                "GROUP BY brand_id, reference HAVING COUNT(*) > 1"
            )
        ).all()
    engine.dispose()
    assert acknowledged <= ended
    assert doubled == []
