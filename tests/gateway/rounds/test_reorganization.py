"""The chain loses blocks that were projected: the projection is rebuilt, and what those blocks had ended is sent again."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import select

from gateway.projection.tables import LedgerBlockRow, LedgerMemberLotRow
from gateway.rounds.tables import OperationRow, TransactionRow
from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.builders.projection_rows import projection_rows


def go_back_to(coalition: CoalitionBuilder, copy: Path) -> None:
    """The node comes back with an older copy of its data, as on an engine that dropped blocks."""
    coalition.node.kill()
    shutil.rmtree(coalition.node.data)
    shutil.copytree(copy, coalition.node.data)


def held(coalition: CoalitionBuilder, member_id: str) -> int:
    with coalition.database.read() as session:
        return sum(session.scalars(select(LedgerMemberLotRow.held).where(LedgerMemberLotRow.member_id == member_id)))


def test_lost_blocks_are_rolled_back_and_their_transactions_happen_again_once(tmp_path: Path) -> None:
    with running_coalition(tmp_path / "coalition") as coalition:
        member, other = coalition.member_keys
        kept = coalition.purchase(1, member, 10_000)
        coalition.work_off()
        port = coalition.node.url.rsplit(":", 1)[1]
        coalition.node.arguments = (*coalition.node.arguments, "--port", port)
        coalition.node.kill()
        shutil.copytree(coalition.node.data, tmp_path / "copy")
        coalition.node.start()
        coalition.worker.submitter.node_was_lost()
        lost = [coalition.purchase(2, other, 5_000), coalition.redeem(2, member, 40), coalition.purchase(1, coalition.add_member(), 7_000)]
        coalition.work_off()

        go_back_to(coalition, tmp_path / "copy")
        coalition.node.start()
        coalition.node.call("evm_mine", coalition.now + 5)
        coalition.worker.submitter.node_was_lost()
        coalition.worker.follower.node_was_lost()
        coalition.worker.follower.follow()
        assert {coalition.operation(each).status for each in lost} == {"packed"}
        assert coalition.operation(kept).status == "confirmed"
        assert held(coalition, member) == 100
        coalition.work_off()

        assert {coalition.operation(each).status for each in lost} == {"confirmed"}
        assert (held(coalition, member), held(coalition, other)) == (60, 50)
        with coalition.database.read() as session:
            assert session.scalars(select(TransactionRow).where(TransactionRow.status != "mined")).all() == []
            assert session.scalars(select(OperationRow).where(OperationRow.status != "confirmed")).all() == []
            last = session.scalars(select(LedgerBlockRow).order_by(LedgerBlockRow.number.desc()).limit(1)).one()
        assert coalition.chain.block_hash(last.number) == last.block_hash
        rows = projection_rows(coalition.database)
        coalition.worker.follower.rebuild()
        assert projection_rows(coalition.database) == rows


def test_a_chain_that_only_grew_is_not_read_twice(tmp_path: Path) -> None:
    with running_coalition(tmp_path, brand_ids=(1,), members=1) as coalition:
        coalition.node.call("evm_mine", coalition.now + 1)
        assert coalition.worker.follower.follow()
        assert not coalition.worker.follower.follow()
        coalition.restart_worker()
        assert not coalition.worker.follower.follow()
