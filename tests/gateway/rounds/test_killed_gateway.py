"""The gateway's own process is killed at random moments while operations come in; in the end each of them happened exactly once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest
from sqlalchemy import select

from gateway.projection.tables import LedgerBatchRow, LedgerMemberLotRow
from gateway.rounds.tables import BatchRow, TransactionRow
from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.builders.projection_rows import projection_rows

ROOT = Path(__file__).parents[3]
KILLS = 12


def serve(coalition: CoalitionBuilder) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "gateway", "serve", "--port", "0", "--config", str(coalition.settings.data_dir / "gateway.toml")]
    log = (coalition.folder / "gateway.log").open("ab")
    with log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


@pytest.mark.deep
def test_killed_at_random_moments_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    moments = random.Random(7)
    with running_coalition(tmp_path, brand_ids=(1, 2, 3), members=6) as coalition:
        coalition.worker.close()
        settings = (
            f'data_dir = "{coalition.settings.data_dir}"\nrpc_url = "{coalition.node.url}"\nsandbox = true\nmember_delay_seconds = 0\n'
        )
        (coalition.settings.data_dir / "gateway.toml").write_text(settings)
        members = list(coalition.member_keys)
        acknowledged: list[tuple[str, int]] = []
        for life in range(KILLS):
            gateway = serve(coalition)
            first = len(acknowledged)
            until: float | None = 0.0 if life % 4 == 3 else None  # every fourth is killed while it starts
            while until is None or monotonic() < until:
                member, gross_minor = moments.choice(members), 100 * moments.randrange(1, 500)
                acknowledged.append((coalition.purchase(moments.choice((1, 2, 3)), member, gross_minor), gross_minor // 100))
                if until is None and coalition.operation(acknowledged[first][0]).status == "confirmed":
                    until = monotonic() + moments.uniform(0, 1)
                sleep(moments.uniform(0, 0.1))  # the moments are the test's input, nothing is awaited by them
            gateway.kill()
            gateway.wait()
        coalition.restart_worker()
        coalition.work_off()
        assert {coalition.operation(each).status for each, _ in acknowledged} == {"confirmed"}
        with coalition.database.read() as session:
            held = sum(session.scalars(select(LedgerMemberLotRow.held)))
            ours = {(row.brand_id, row.number) for row in session.scalars(select(BatchRow).where(BatchRow.status == "recorded"))}
            recorded = {(row.brand_id, row.number) for row in session.scalars(select(LedgerBatchRow))}
            assert session.scalars(select(TransactionRow).where(TransactionRow.status != "mined")).all() == []
        assert held == sum(points for _, points in acknowledged)
        assert ours == recorded
        rows = projection_rows(coalition.database)
        coalition.worker.follower.rebuild()
        assert projection_rows(coalition.database) == rows
