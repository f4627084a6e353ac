"""Engines are compared on blocks that they end in the same state, and on nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.benchmarks.durable_ledger import DurableLedger, durable_ledger
from scripts.benchmarks.issuing import POINTS, member
from scripts.benchmarks.plain_chain import PlainChain
from scripts.benchmarks.rivals import Rivals

MEMBERS = [member(number) for number in range(50)]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[DurableLedger]:
    with durable_ledger(tmp_path / "node") as ledger:
        yield ledger


def test_stock_py_evm_takes_a_sealed_block_to_the_same_state(ledger: DurableLedger) -> None:
    ledger.stream(ledger.issuer.issues(MEMBERS, 25, "new"))
    figures = Rivals(ledger).stock(ledger.height, len(MEMBERS))
    assert figures["entries"] == len(MEMBERS)
    assert figures["entries_per_s"] > 0


def test_a_block_that_ends_in_another_state_is_no_comparison(ledger: DurableLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.stream(ledger.issuer.issues(MEMBERS, 25, "new"))
    monkeypatch.setattr(ledger, "raw_block", lambda number: [])
    with pytest.raises(RuntimeError, match="differ on block"):
        Rivals(ledger).stock(ledger.height, len(MEMBERS))


def test_blocks_hold_as_many_transactions_as_asked_for(ledger: DurableLedger) -> None:
    before = ledger.height
    ledger.in_blocks_of(5, ledger.issuer.issues(MEMBERS, 5, "new"))
    assert ledger.height - before == 2
    assert ledger.logs_issued(before + 1, ledger.height) == len(MEMBERS)


def test_a_reverted_transaction_is_not_counted(ledger: DurableLedger) -> None:
    first = ledger.issuer.issues(MEMBERS[:5], 5, "new")
    ledger.issuer._number -= 1  # the same batch number again
    before = ledger.height
    ledger.stream([*first, *ledger.issuer.issues(MEMBERS[:5], 5, "new")])
    with pytest.raises(RuntimeError, match="reverted"):
        ledger.logs_issued(before + 1, ledger.height)


def test_points_written_into_a_plain_chain_are_existing_points() -> None:
    lot = 1 << 32
    written = PlainChain(MEMBERS, lot)
    written.seal(written.issues(MEMBERS))
    assert {written.points(each) for each in MEMBERS} == {2 * POINTS}
    assert written.points(member(len(MEMBERS))) == 0
