"""The points ledger's own blocks: the same receipts, logs and state roots compiled and by py-evm's loop."""

import pytest

from tests.builders import entry_gas
from tests.builders.points_ledger import PointsLedger
from tests.node.compiler.ledger_blocks import Replayed, blocks, ledger_of_issues, replay
from tests.node.compiler.states import CompiledState, StockState


def replayed_alike(ledger: PointsLedger) -> list[Replayed]:
    outcomes = []
    for block in blocks(ledger):
        expected = replay(ledger, block, StockState)
        assert replay(ledger, block, CompiledState) == expected, f"block {block.number}"
        outcomes.append(expected)
    return outcomes


def test_batches_of_issues_give_the_same_receipts() -> None:
    outcomes = replayed_alike(ledger_of_issues(entries=60, batches=2))
    assert all(succeeded for outcome in outcomes for succeeded, *_ in outcome.receipts)


def test_every_kind_of_entry_gives_the_same_receipts(monkeypatch: pytest.MonkeyPatch) -> None:
    ledgers: list[PointsLedger] = []

    def recorded(brands: tuple[int, ...]) -> PointsLedger:
        ledgers.append(PointsLedger(brands))
        return ledgers[-1]

    monkeypatch.setattr(entry_gas, "PointsLedger", recorded)
    monkeypatch.setattr(entry_gas, "MEMBERS", 6)
    assert set(entry_gas.measure()) >= {"issue, new member", "redeem", "expire"}
    replayed_alike(ledgers[0])


def test_a_refused_batch_reverts_alike() -> None:
    ledger = PointsLedger((1,))
    outcome = ledger.transact("submitBatch", *ledger.signed(9, 1, b""))
    assert not outcome.succeeded
    assert [succeeded for succeeded, *_ in replayed_alike(ledger)[-1].receipts] == [False]


@pytest.mark.deep
def test_a_full_batch_gives_the_same_receipts() -> None:
    replayed_alike(ledger_of_issues(entries=1_000, batches=2))
