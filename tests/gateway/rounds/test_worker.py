"""The worker on its own thread: it confirms what is accepted, waits for its node, and works on a data directory alone."""

from __future__ import annotations

from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import select, text

from gateway.app import make_worker
from gateway.projection.tables import LedgerMemberLotRow
from gateway.rounds.completion import Completions
from gateway.rounds.sole_worker import AnotherWorker, StandsBy
from gateway.rounds.tables import OperationRow
from gateway.rounds.worker import STANDING_BY, LedgerWorker
from gateway.store.lease import LeaseLost
from tests.builders.coalition import CoalitionBuilder, blank_gateway, running_coalition
from tests.on_postgresql import SERVER


def confirmed(coalition: CoalitionBuilder, operation_id: str) -> bool | None:
    return coalition.operation(operation_id).status == "confirmed" or None


def test_what_is_accepted_is_confirmed_and_waiters_are_told(tmp_path: Path) -> None:
    with running_coalition(tmp_path) as coalition:
        member = next(iter(coalition.member_keys))
        coalition.worker.close()
        completions = Completions()
        worker = make_worker(coalition.database, coalition.chain, completions, coalition.settings)
        worker.start()
        try:
            operation_id = coalition.purchase(1, member)
            worker.wake()
            assert completions.wait(lambda: confirmed(coalition, operation_id), 60)
            assert worker.health()["last_error"] is None
        finally:
            worker.stop()
        assert worker.health()["state"] == "stopped"


def test_a_worker_waits_for_a_node_that_comes_up_late(tmp_path: Path) -> None:
    with running_coalition(tmp_path) as coalition:
        member = next(iter(coalition.member_keys))
        coalition.worker.close()
        operation_id = coalition.purchase(1, member)
        port = coalition.node.url.rsplit(":", 1)[1]
        coalition.node.kill()
        completions = Completions()
        worker = make_worker(coalition.database, coalition.chain, completions, coalition.settings)
        worker.start()
        try:
            assert completions.wait(lambda: confirmed(coalition, operation_id), 0.3) is None
            assert "does not answer" in str(worker.health()["last_error"])
            coalition.node.arguments = (*coalition.node.arguments, "--port", port)
            coalition.node.start()
            assert completions.wait(lambda: confirmed(coalition, operation_id), 60)
        finally:
            worker.stop()


def test_the_node_dies_again_and_again_under_load_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    with running_coalition(tmp_path, members=5) as coalition:
        coalition.worker.close()
        completions = Completions()
        worker = make_worker(coalition.database, coalition.chain, completions, coalition.settings)
        worker.start()
        operations = []
        try:
            for death in range(3):
                for index, member in enumerate(coalition.member_keys):
                    operations.append(coalition.purchase(1 + (index + death) % 2, member, 1_000 * (index + 1)))
                    worker.wake()
                coalition.restart_node()
            assert completions.wait(lambda: (not coalition.open_operations()) or None, 60)
        finally:
            worker.stop()
        assert {coalition.operation(each).status for each in operations} == {"confirmed"}
        with coalition.database.read() as session:
            points = sum(session.scalars(select(OperationRow.points).where(OperationRow.kind == "issue")))
        assert points == 3 * 10 * (1 + 2 + 3 + 4 + 5)
        assert_held(coalition, points)


def test_a_worker_that_began_afresh_asks_signers_again(tmp_path: Path) -> None:
    with running_coalition(tmp_path) as coalition:
        member = next(iter(coalition.member_keys))
        coalition.worker.close()
        completions = Completions()
        worker = make_worker(coalition.database, coalition.chain, completions, coalition.settings)
        worker.start()
        try:
            first = coalition.purchase(1, member)
            worker.wake()
            assert completions.wait(lambda: confirmed(coalition, first), 60)
            rename(coalition, "batches", "batches_away")
            second = coalition.purchase(1, member)
            worker.wake()
            until = monotonic() + 60
            while worker.health()["last_error"] is None:
                assert monotonic() < until
                sleep(0.01)
            rename(coalition, "batches_away", "batches")
            assert completions.wait(lambda: confirmed(coalition, second), 60)
        finally:
            worker.stop()


def rename(coalition: CoalitionBuilder, table: str, name: str) -> None:
    with coalition.database.write() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def assert_held(coalition: CoalitionBuilder, points: int) -> None:
    with coalition.database.read() as session:
        assert sum(session.scalars(select(LedgerMemberLotRow.held))) == points


@pytest.mark.skipif(SERVER is None, reason="of PostgreSQL: an SQLite file is held by its data directory's lock")
def test_two_workers_never_share_a_database_and_a_lost_connection_is_made_again(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        elsewhere = blank.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
        first, second = (make_worker(blank.database, blank.chain, Completions(), each) for each in (blank.settings, elsewhere))
        first.open()
        with pytest.raises(StandsBy, match="stop it first"):
            second.open()
        with blank.database.engine.connect() as connection:
            others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
        first.turn()
        with pytest.raises(StandsBy):
            second.open()
        first.close()
        second.open()
        second.turn()
        second.close()


@pytest.mark.skipif(SERVER is None, reason="of PostgreSQL: an SQLite file is held by its data directory's lock")
def test_a_worker_that_stands_by_goes_on_where_the_one_before_it_was_killed(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        elsewhere = blank.settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
        first, second = (make_worker(blank.database, blank.chain, Completions(), each) for each in (blank.settings, elsewhere))
        first.open()
        second.start()
        await_state(second, STANDING_BY)
        assert first._lease is not None
        first._lease._ended.set()  # killed: nobody renews
        began = monotonic()
        await_state(second, "idle")
        assert monotonic() - began < 15  # 5 on a machine that does nothing else
        with pytest.raises(LeaseLost), first._leased.write():
            pass
        second.stop()
        first.close()


def await_state(worker: LedgerWorker, state: str) -> None:
    until = monotonic() + 60
    while worker.health()["state"] != state:
        assert monotonic() < until, worker.health()
        sleep(0.05)


def test_two_workers_never_share_a_data_directory(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        first, second = (make_worker(blank.database, blank.chain, Completions(), blank.settings) for _ in range(2))
        first.open()
        with pytest.raises(AnotherWorker, match="stop it first"):
            second.open()
        first.close()
        second.open()
        second.close()
