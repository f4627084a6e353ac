"""Several processes write one database at once, as several gateways on one PostgreSQL would; one of them may be killed at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.store.session import Database
from tests.builders.databases import migrated_database, url_of
from tests.builders.offline_coalition import OfflineCoalition
from tests.concurrency.marks import MARKS

PROCESSES = 8
NUMBERS_EACH = 50

_FORKED = """  # a process each, forked once everything is imported, which takes far longer than the test
processes = [multiprocessing.get_context("fork").Process(target={}, args=(given,)) for given in {}]
for process in processes: process.start()
for process in processes: process.join()
"""
TAKE_NUMBERS = """
import multiprocessing, sys
from sqlalchemy import func, insert, select
from gateway.store.counters import next_number
from gateway.store.session import Database
from tests.concurrency.marks import MARKS
def take(writer):
    database = Database(sys.argv[1])
    for _ in range(int(sys.argv[2])):
        with database.write() as session:
            seen = session.scalar(select(func.count()).select_from(MARKS))
            session.execute(insert(MARKS).values(number=next_number(session, "mark"), seen=seen, writer=writer))
    sys.stdout.write("done\\n")  # one write: print() makes two where output is unbuffered, and others write between them
""" + _FORKED.format("take", "sys.argv[3:]")
HOLD_THE_LOCK = """
import sys, time
from gateway.store.counters import next_number
from gateway.store.session import Database
with Database(sys.argv[1]).write() as session:
    next_number(session, "mark")
    print("holding", flush=True)
    time.sleep(600)
"""
REDEEM = """
import json, multiprocessing, sys
from starlette.testclient import TestClient
from gateway.api.context import Context
from gateway.app import create_app
from gateway.store.session import Database
from tests.builders.offline_coalition import START
def redeem(bodies):
    with TestClient(create_app(Context(Database(sys.argv[1]), clock=lambda: START)), base_url="http://localhost") as client:
        for body in bodies:
            headers = {"Authorization": "Bearer " + sys.argv[2], "Idempotency-Key": body["order_id"]}
            answer = client.post("/v1/authorizations", json=body, headers=headers)
            sys.stdout.write(f"{answer.status_code} {answer.json().get('code', 'accepted')}\\n")
""" + _FORKED.format("redeem", "json.load(sys.stdin)")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(migrated_database(tmp_path))
    MARKS.create(opened.engine)
    yield opened
    opened.close()


def test_every_number_is_given_out_once_and_each_writer_saw_all_before_it(database: Database) -> None:
    writers = _start(TAKE_NUMBERS, database, str(NUMBERS_EACH), *map(str, range(PROCESSES)))
    assert writers.communicate(timeout=280)[0].split() == ["done"] * PROCESSES
    with database.read() as session:
        marks = session.execute(select(MARKS.c.number, MARKS.c.seen).order_by(MARKS.c.number)).all()
    assert [tuple(mark) for mark in marks] == [(number, number - 1) for number in range(1, PROCESSES * NUMBERS_EACH + 1)]


def test_a_writer_killed_in_the_middle_holds_nobody_up_and_takes_no_number_with_it(database: Database) -> None:
    held = _start(HOLD_THE_LOCK, database)
    assert held.stdout is not None
    assert held.stdout.readline() == "holding\n"
    waiting = _start(TAKE_NUMBERS, database, "3", "patient")
    os.kill(held.pid, signal.SIGKILL)
    held.communicate()
    assert waiting.communicate(timeout=280)[0].strip() == "done"
    with database.read() as session:
        assert session.execute(select(func.min(MARKS.c.number), func.max(MARKS.c.number))).one() == (1, 3)


def test_eight_gateways_never_let_a_member_redeem_more_than_she_holds(tmp_path: Path) -> None:
    coalition = OfflineCoalition(tmp_path)
    try:
        coalition.brand(1)
        shopper = coalition.shopper()
        coalition.put_points(shopper.member_id, 100)
        bodies = [[coalition.consent(shopper, 1, 7, f"order-{n}-{k}") for k in range(4)] for n in range(PROCESSES)]
        gateways = _start(REDEEM, coalition.database, coalition.tokens["brand:1"])
        answers = Counter(gateways.communicate(json.dumps(bodies), timeout=280)[0].splitlines())
        assert answers == {"202 accepted": 100 // 7, "409 not_enough_points": 4 * PROCESSES - 100 // 7}
        points = coalition.get("brand:1", f"/v1/members/{shopper.member_id}/points").json()
        assert (points["pending_out"], points["available"]) == (98, 2)
    finally:
        coalition.close()
        coalition.database.close()


def _start(program: str, database: Database, *arguments: str) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", program, url_of(database), *arguments], text=True, **pipes)  # type: ignore[call-overload,no-any-return]
