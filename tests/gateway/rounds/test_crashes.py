"""The worker is dropped between any two steps, or the node killed: what was acknowledged happens, and happens once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from gateway.ledger.batches import entries_root
from gateway.ledger.framing import unpack_entries
from gateway.projection.tables import LedgerBatchRow, LedgerMemberLotRow
from gateway.rounds.tables import BatchRow, TransactionRow
from gateway.values.errors import Unavailable
from tests.builders.coalition import CoalitionBuilder
from tests.builders.projection_rows import projection_rows


def held(coalition: CoalitionBuilder, member_id: str) -> int:
    with coalition.database.read() as session:
        return sum(session.scalars(select(LedgerMemberLotRow.held).where(LedgerMemberLotRow.member_id == member_id)))


def nothing(coalition: CoalitionBuilder) -> None:
    """Killed right after the operations were accepted."""


def packed(coalition: CoalitionBuilder) -> None:
    coalition.worker.sequencer.pack()


def signed_but_not_stored(coalition: CoalitionBuilder) -> None:
    packed(coalition)
    desk = coalition.worker._desk
    assert desk is not None
    for batch in coalition.worker.signing.unsigned():
        desk._signer.sign(batch.signer, batch.request)


def stored(coalition: CoalitionBuilder) -> None:
    coalition.store_round()


def sent(coalition: CoalitionBuilder) -> None:
    stored(coalition)
    coalition.worker.submitter.send_open()


def mined_but_not_projected(coalition: CoalitionBuilder) -> None:
    sent(coalition)
    with coalition.database.read() as session:
        hashes = session.scalars(select(TransactionRow.transaction_hash).where(TransactionRow.status == "stored")).all()
    for each in hashes:
        coalition.node.receipt(str(each))


def sent_to_a_node_that_died(coalition: CoalitionBuilder) -> None:
    sent(coalition)
    coalition.restart_node()


STEPS = [nothing, packed, signed_but_not_stored, stored, sent, mined_but_not_projected, sent_to_a_node_that_died]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_dropped_after(step: Callable[[CoalitionBuilder], None], coalition: CoalitionBuilder) -> None:
    member, other = coalition.add_member(), coalition.add_member()
    coalition.work_off()
    coalition.purchase(1, member, 10_000)
    coalition.work_off()
    operations = [coalition.purchase(2, other, 20_000), coalition.redeem(2, member, 30), coalition.purchase(1, other, 5_000)]
    step(coalition)
    coalition.restart_worker()
    coalition.work_off()
    assert [coalition.operation(each).status for each in operations] == ["confirmed"] * 3
    assert (held(coalition, member), held(coalition, other)) == (70, 250)
    coalition.restart_worker()
    assert (held(coalition, member), held(coalition, other)) == (70, 250)


def test_every_recorded_batch_is_one_of_ours_and_counted_once(coalition: CoalitionBuilder) -> None:
    with coalition.database.read() as session:
        rows = session.scalars(select(BatchRow).where(BatchRow.status == "recorded"))
        ours = {(row.brand_id, row.number): entries_root(unpack_entries(row.entries)) for row in rows}
        recorded = {(row.brand_id, row.number): row.root for row in session.scalars(select(LedgerBatchRow))}
    assert ours == recorded


def test_the_node_is_killed_while_the_worker_waits(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    operation_id = coalition.purchase(1, member, 10_000)
    stored(coalition)
    port = coalition.node.url.rsplit(":", 1)[1]
    coalition.node.kill()
    with pytest.raises(Unavailable):
        coalition.worker.turn()
    coalition.node.arguments = (*coalition.node.arguments, "--port", port)
    coalition.node.start()
    coalition.worker.submitter.node_was_lost()
    coalition.work_off()
    assert coalition.operation(operation_id).status == "confirmed"
    assert held(coalition, member) == 100


def test_the_whole_history_survives_a_rebuild(coalition: CoalitionBuilder) -> None:
    before = projection_rows(coalition.database)
    coalition.worker.follower.rebuild()
    assert projection_rows(coalition.database) == before
