"""kill -9 at random moments under load: what a client outside saw acknowledged is there again, whole and sealed."""

import json
import os
import random
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.chain.sealing import seal_holds
from tests.depth import from_deep_on, in_a_soak
from tests.node.cell_contract import CREATION, word
from tests.node.forked_node import ForkedNode
from tests.node.running_node import RpcFailure, RunningNode, run_node_command, throwaway_account

OPERATOR, SECOND = throwaway_account("operator"), throwaway_account("second operator")
SEED = 20_261_122
FUNDED = ("--operator", OPERATOR.address, "--operator", SECOND.address)


@dataclass
class Journal:
    """What the client was told: receipts, by transaction hash."""

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def load_until_dead(self, node: RunningNode, cell: str, account: Any) -> None:
        try:
            nonce = node.nonce(account)
            while True:
                sent = [
                    node.call("eth_sendRawTransaction", node.signed(account, nonce=nonce + offset, to=cell, data=word(nonce + offset)))
                    for offset in range(4)
                ]
                nonce += len(sent)
                for transaction_hash in sent:
                    self.receipts[transaction_hash] = node.receipt(transaction_hash)
        except (httpx.TransportError, RpcFailure, RuntimeError):
            return  # the node is gone: what is in the journal was acknowledged before


def test_no_acknowledged_block_is_lost_over_a_few_kills(tmp_path: Path) -> None:
    node = RunningNode(tmp_path / "data", FUNDED).start()
    _kill_again_and_again(node, kills=from_deep_on(10, 4))


@pytest.mark.deep
@pytest.mark.timeout(1_200)
def test_no_acknowledged_block_is_lost_over_many_kills(tmp_path: Path) -> None:
    with ForkedNode(tmp_path / "data", FUNDED) as node:
        _kill_again_and_again(node, kills=in_a_soak(300, 60))


def _kill_again_and_again(node: RunningNode, kills: int) -> None:
    moments = random.Random(SEED)
    journal = Journal()
    cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
    for _ in range(kills):
        before = len(journal.receipts)
        clients = [threading.Thread(target=journal.load_until_dead, args=(node, cell, account)) for account in (OPERATOR, SECOND)]
        for client in clients:
            client.start()
        threading.Event().wait(moments.uniform(0.05, 0.6))  # the moment is the experiment, nothing waits on it
        node.kill()
        for client in clients:
            client.join()
        node.start()
        _check_head(node)
        for transaction_hash in list(journal.receipts)[before:]:
            assert node.call("eth_getTransactionReceipt", transaction_hash) == journal.receipts[transaction_hash]
    assert len(journal.receipts) > kills
    for transaction_hash, receipt in journal.receipts.items():
        assert node.call("eth_getTransactionReceipt", transaction_hash) == receipt
    node.kill()
    verified = run_node_command("verify", "--data", str(node.data))
    assert verified.returncode == 0, verified.stderr


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of a node that was killed after a dozen blocks."""
    data = tmp_path_factory.mktemp("torn") / "data"
    node = RunningNode(data, FUNDED).start()
    cell = node.send(OPERATOR, data=CREATION)["contractAddress"]
    for value in range(11):
        node.send(OPERATOR, to=cell, data=word(value))
    node.kill()
    return data


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_log_torn_in_a_crash_opens_at_its_last_whole_block(killed: Path, tmp_path: Path, share: float) -> None:
    data = Path(shutil.copytree(killed, tmp_path / "data"))
    log = max((data / "chain").glob("*.log"), key=lambda file: file.stat().st_size)
    os.truncate(log, int(log.stat().st_size * share))
    with RunningNode(data, FUNDED) as node:
        assert node.ready is not None
        head = node.ready["head"]
        assert 0 <= head < 12
        assert node.send(OPERATOR, to=OPERATOR.address)["blockNumber"] == hex(head + 1)
    verified = run_node_command("verify", "--data", str(data))
    assert verified.returncode == 0, verified.stderr
    assert json.loads(verified.stdout)["verified_blocks"] == head + 2


def _check_head(node: RunningNode) -> None:
    assert node.ready is not None
    head = node.call("eth_getBlockByNumber", "latest", False)
    parent = node.call("eth_getBlockByNumber", hex(int(head["number"], 16) - 1), False)
    assert head["parentHash"] == parent["hash"]
    seal = node.call("splittally_getSeal", head["hash"])
    parts = [bytes.fromhex(text[2:]) for text in (seal["signature"], node.ready["sealer"], node.ready["genesis_hash"], head["hash"])]
    assert seal_holds(*parts)
    assert len(node.call("eth_getBlockReceipts", head["number"])) == len(head["transactions"])
