"""The chain loses blocks that were projected: the projection is rebuilt, and what those blocks had ended is sent again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.brands.change_brand import set_brand_limit
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.governance.propose_act import replace_guardian, set_approvers
from gateway.projection.tables import LedgerBlockRow, LedgerBrandRow, LedgerBrandTermsRow, LedgerMemberLotRow
from gateway.rounds import sequencer
from gateway.rounds.rows import SqlOperations
from gateway.rounds.tables import OperationRow, TransactionRow
from gateway.store.unit_of_work import writing
from gateway.values.ids import Address, OperationId
from tests.builders.coalition import CoalitionBuilder, approvers, new_id, running_coalition
from tests.builders.projection_rows import projection_rows
from tests.node.running_node import throwaway_account


def keep(coalition: CoalitionBuilder, copy: Path) -> None:
    """A copy of the node's data as it is now; the node goes on at its port."""
    coalition.node.arguments = (*coalition.node.arguments, "--port", coalition.node.url.rsplit(":", 1)[1])
    coalition.node.kill()
    shutil.copytree(coalition.node.data, copy)
    coalition.node.start()
    coalition.worker.submitter.node_was_lost()


def go_back_to(coalition: CoalitionBuilder, copy: Path, later: int = 5) -> None:
    """The node comes back with an older copy of its data, as on an engine that dropped blocks; the gateway sees it."""
    coalition.node.kill()
    shutil.rmtree(coalition.node.data)
    shutil.copytree(copy, coalition.node.data)
    coalition.node.start()
    coalition.node.call("evm_mine", coalition.now + later)
    coalition.worker.submitter.node_was_lost()
    coalition.worker.follower.node_was_lost()
    coalition.worker.follower.follow()


def change_limit(coalition: CoalitionBuilder, brand_id: int, issue_limit: int) -> str:
    operation_id = new_id("change")
    with writing(coalition.database, business_clock()) as work:
        brand = work.of(SqlBrands).find(brand_id)
        assert brand is not None
        set_brand_limit(brand, issue_limit, operations=work.of(SqlOperations), operation_id=OperationId(operation_id), now=work.now)
    return operation_id


def held(coalition: CoalitionBuilder, member_id: str) -> int:
    with coalition.database.read() as session:
        return sum(session.scalars(select(LedgerMemberLotRow.held).where(LedgerMemberLotRow.member_id == member_id)))


def test_lost_blocks_are_rolled_back_and_their_transactions_happen_again_once(tmp_path: Path) -> None:
    with running_coalition(tmp_path / "coalition") as coalition:
        member, other = coalition.member_keys
        kept = coalition.purchase(1, member, 10_000)
        coalition.work_off()
        keep(coalition, tmp_path / "copy")
        lost = [coalition.purchase(2, other, 5_000), coalition.redeem(2, member, 40), coalition.purchase(1, coalition.add_member(), 7_000)]
        coalition.work_off()

        go_back_to(coalition, tmp_path / "copy")
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


def test_a_proposal_that_failed_in_a_lost_block_is_open_again_until_it_ends_on_the_new_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_coalition(tmp_path / "coalition", members=1) as coalition:
        keep(coalition, tmp_path / "copy")
        with monkeypatch.context() as scant:
            scant.setattr(sequencer, "PROPOSE_GAS", 40_000)
            refused = change_limit(coalition, 1, 5_000)
            coalition.work_off()
        before = coalition.operation(refused)
        assert (before.status, before.reason) == ("refused", "not_proposed: out_of_gas")

        go_back_to(coalition, tmp_path / "copy")
        again = coalition.operation(refused)
        assert (again.status, again.reason, again.block_number) == ("proposed", None, None)
        following = change_limit(coalition, 2, 7_000)  # its transaction stands behind the failed one's, which leaves no gap
        coalition.work_off()
        assert coalition.operation(following).status == "confirmed"
        after = coalition.operation(refused)
        assert (after.status, after.reason) == ("refused", "not_proposed: out_of_gas")
        with coalition.database.read() as session:
            assert session.get_one(LedgerBlockRow, after.block_number)


def test_approvals_given_before_the_new_chains_proposal_was_ready_do_not_count(tmp_path: Path) -> None:
    with running_coalition(tmp_path / "coalition", members=1) as coalition:
        keep(coalition, tmp_path / "copy")
        changed = change_limit(coalition, 1, 5_000)
        coalition.worker.turn()
        coalition.approve_all()
        go_back_to(coalition, tmp_path / "copy", later=3_600)
        coalition.worker.turn()
        coalition.worker.turn()
        assert coalition.operation(changed).status == "proposed", "the contract would refuse such approvals, and with them the act"
        coalition.work_off()
        assert coalition.operation(changed).status == "confirmed"


def governed(coalition: CoalitionBuilder) -> tuple[object, ...]:
    """Who governs, and what holds of brand 1, as the next operation would find it."""
    facts = coalition.coalition
    with coalition.database.read() as session:
        brand = session.get_one(LedgerBrandRow, 1)
        terms = session.scalars(select(LedgerBrandTermsRow.number).where(LedgerBrandTermsRow.brand_id == 1)).all()
        of_brand = brand.issue_limit, brand.status, brand.owner_acts, tuple(terms)
    return facts.approvers, facts.approvals_needed, facts.guardian, facts.governance_delay_seconds, of_brand


def test_who_governs_and_what_holds_of_brands_is_as_it_was_before_the_lost_blocks(tmp_path: Path) -> None:
    """At once, not only when the acts happen again; the founding's events give it, as in a projection made anew."""
    with running_coalition(tmp_path / "coalition", brand_ids=(1,), members=0) as coalition:
        keep(coalition, tmp_path / "copy")
        before = governed(coalition)
        guardian = Address.parse(throwaway_account("another guardian").address)
        with writing(coalition.database, business_clock()) as work:
            facts, operations = work.of(SqlCoalition).facts, work.of(SqlOperations)
            ids = OperationId(new_id("act")), OperationId(new_id("act"))
            fewer = [Address.parse(key.address) for key in approvers()[:2]]
            set_approvers(fewer, 2, operations=operations, operation_id=ids[0], now=work.now)
            replace_guardian(guardian, coalition=facts, operations=operations, operation_id=ids[1], now=work.now)
        change_limit(coalition, 1, 5_000)
        coalition.work_off()
        changed = governed(coalition)
        assert (len(changed[0]), changed[2], changed[4][0]) == (2, guardian, 5_000)  # type: ignore[arg-type, index]

        go_back_to(coalition, tmp_path / "copy")
        assert governed(coalition) == before
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
