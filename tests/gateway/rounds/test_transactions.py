"""Transactions that are stuck, underpriced or overtaken: replaced at their nonce or sent anew, and done once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.chain.operator_key import load_account
from gateway.rounds import submitter as submitter_module
from gateway.rounds.submitter import signed_terms
from gateway.rounds.tables import TransactionRow
from tests.builders.coalition import CoalitionBuilder, running_coalition


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path, brand_ids=(1,), members=1, stuck_after_seconds=0.3) as builder:
        yield builder


def transactions(coalition: CoalitionBuilder) -> list[TransactionRow]:
    with coalition.database.read() as session:
        return list(session.scalars(select(TransactionRow).order_by(TransactionRow.transaction_id)))


def test_a_transaction_below_the_base_fee_is_replaced_at_its_nonce(alone: CoalitionBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    member = next(iter(alone.member_keys))
    operation_id = alone.purchase(1, member)
    with monkeypatch.context() as cheap:
        cheap.setattr(submitter_module, "PRIORITY_FEE_WEI", 1)
        alone.worker.follower.base_fee = 0
        alone.store_round()
    alone.worker.turn()
    alone.work_off()
    old, new = transactions(alone)[-2:]
    assert (old.status, new.status, new.nonce, new.replaces) == ("replaced", "mined", old.nonce, old.transaction_id)
    assert signed_terms(new.raw).max_fee > signed_terms(old.raw).max_fee
    assert signed_terms(new.raw).data == signed_terms(old.raw).data
    assert alone.operation(operation_id).status == "confirmed"


def test_of_a_replaced_transaction_and_its_successor_the_one_that_is_mined_counts(alone: CoalitionBuilder) -> None:
    member = next(iter(alone.member_keys))
    operation_id = alone.purchase(1, member)
    alone.store_round()
    submitter = alone.worker.submitter
    old = transactions(alone)[-1]
    submitter._first_sent_at[old.transaction_id] = -1_000.0
    assert submitter.replace_stuck(alone.worker.follower.base_fee, alone.now) == 1
    alone.node.receipt(alone.node.call("eth_sendRawTransaction", "0x" + old.raw.hex()))
    alone.work_off()
    old, new = transactions(alone)[-2:]
    assert (old.status, new.status) == ("mined", "replaced")
    assert alone.operation(operation_id).status == "confirmed"


def test_a_transaction_whose_nonce_was_used_elsewhere_goes_out_again_once(alone: CoalitionBuilder) -> None:
    member = next(iter(alone.member_keys))
    operation_id, enrolled = alone.purchase(1, member), alone.add_member()
    alone.store_round()
    operator = load_account(alone.settings.operator_key_file)
    before = len(transactions(alone))
    for _ in range(2):
        alone.node.send(operator, to=operator.address)
    alone.work_off()
    rows = transactions(alone)
    assert [row.status for row in rows[before - 2 :]] == ["failed", "failed", "mined", "mined"]
    assert alone.operation(operation_id).status == "confirmed"
    assert enrolled in alone.member_keys
    alone.purchase(1, enrolled)
    alone.work_off()


def test_a_gap_of_nonces_is_filled(alone: CoalitionBuilder) -> None:
    member = next(iter(alone.member_keys))
    operation_id = alone.purchase(1, member)
    alone.store_round()
    with alone.database.write() as session:
        row = session.scalars(select(TransactionRow).order_by(TransactionRow.transaction_id.desc()).limit(1)).one()
        row.status = "replaced"
        terms = signed_terms(row.raw)
        later = alone.worker.submitter.store(session, row.purpose, terms.to, terms.data, terms.gas, 10**9, 0)
        assert later.nonce == row.nonce + 1
    alone.work_off()
    rows = transactions(alone)
    assert (rows[-1].purpose, rows[-1].nonce, rows[-1].status) == ("filler", later.nonce - 1, "mined")
    assert alone.operation(operation_id).status == "confirmed"
