"""What an outside engine must be able to do, and what the demo says when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from scripts.demo.chain_clock import ChainClock
from scripts.demo.data_directory import DataDirectory, open_directory
from scripts.demo.engine import OPERATOR_NEEDS_WEI, UnfitEngine, check_same_chain, meet_engine
from tests.conformance.clients.outside import anvil
from tests.node.running_node import RunningNode

BEGINNING = 1_483_290_000
OPERATOR = Account.create().address


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    return open_directory(tmp_path / "demo", fresh=False)


@pytest.fixture
def clock() -> Iterator[list[ChainClock]]:
    clocks: list[ChainClock] = []
    yield clocks
    for each in clocks:
        each.close()


def test_an_engine_that_is_not_there_is_named(directory: DataDirectory) -> None:
    with pytest.raises(UnfitEngine, match=r"No Ethereum node answers at http://127\.0\.0\.1:9"):
        meet_engine(directory, "http://127.0.0.1:9", OPERATOR, BEGINNING)


def test_an_engine_whose_time_cannot_be_set_is_refused(directory: DataDirectory, tmp_path: Path) -> None:
    with (
        RunningNode(tmp_path / "node", ("--operator", OPERATOR, "--timestamp", str(BEGINNING))) as node,
        pytest.raises(UnfitEngine, match="does not let its time be set"),
    ):
        meet_engine(directory, node.url, OPERATOR, BEGINNING)


def test_an_engine_that_is_past_the_first_day_and_cannot_go_back_is_told_how_to_start(directory: DataDirectory, tmp_path: Path) -> None:
    with (
        RunningNode(tmp_path / "node", ("--sandbox", "--operator", OPERATOR)) as node,
        pytest.raises(UnfitEngine, match=f"--timestamp {BEGINNING}"),
    ):
        meet_engine(directory, node.url, OPERATOR, BEGINNING)


def test_an_engine_without_unlocked_accounts_has_the_operators_address_named(directory: DataDirectory, tmp_path: Path) -> None:
    with (
        RunningNode(tmp_path / "node", ("--sandbox", "--timestamp", str(BEGINNING))) as node,
        pytest.raises(UnfitEngine, match=f"operator's account {OPERATOR} has 0 ether"),
    ):
        meet_engine(directory, node.url, OPERATOR, BEGINNING)


def test_a_funded_operator_on_a_sandbox_is_all_it_takes(directory: DataDirectory, tmp_path: Path) -> None:
    with RunningNode(tmp_path / "node", ("--sandbox", "--timestamp", str(BEGINNING), "--operator", OPERATOR)) as node:
        meet_engine(directory, node.url, OPERATOR, BEGINNING)
        assert int(node.call("eth_getTransactionCount", OPERATOR, "latest"), 16) == 0


def test_an_unlocked_account_pays_the_operator_and_the_time_goes_back(directory: DataDirectory, clock: list[ChainClock]) -> None:
    with anvil() as engine:
        clock.append(ChainClock(engine.url))
        assert clock[0].head_timestamp() > BEGINNING
        meet_engine(directory, engine.url, OPERATOR, BEGINNING)
        assert 0 <= clock[0].head_timestamp() - BEGINNING < 60
        assert int(engine.call("eth_getBalance", OPERATOR, "latest"), 16) == OPERATOR_NEEDS_WEI
        meet_engine(directory, engine.url, OPERATOR, BEGINNING)
        assert int(engine.call("eth_getBalance", OPERATOR, "latest"), 16) == OPERATOR_NEEDS_WEI


def test_another_chain_than_the_walks_is_refused(clock: list[ChainClock], tmp_path: Path) -> None:
    with RunningNode(tmp_path / "node", ("--sandbox",)) as node:
        assert node.ready is not None
        clock.append(ChainClock(node.url))
        check_same_chain(clock[0], node.url, node.ready["genesis_hash"])
        with pytest.raises(UnfitEngine, match="genesis"):
            check_same_chain(clock[0], node.url, "0x" + "00" * 32)
