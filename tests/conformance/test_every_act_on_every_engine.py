"""One history of every act, transaction by transaction, on the embedded node and on anvil: the same code, receipts, logs and storage."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_typing import Address
from eth_utils import keccak
from trie import HexaryTrie

from node.app import open_chain
from node.chain.pool import Pool
from node.config import DataDirectory
from node.producer import BlockProducer
from node.rpc.dispatch import Dispatcher
from node.rpc.methods import method_table
from node.rpc.ports import NodeView
from tests.builders.coalition_history import history_of_everything
from tests.builders.ledger_chain import CHAIN_ID, ETHER, GAS_PER_BLOCK, GENESIS_TIMESTAMP, Outcome, address_of, key_of
from tests.builders.recording_chain import RecordingChain
from tests.conformance.clients.outside import anvil, eventually
from tests.node.own_node import OwnNode, WallClock

pytestmark = [pytest.mark.nodejs, pytest.mark.timeout(900)]  # anvil comes with the npm packages

FUNDED = [address_of(key_of(name)) for name in ("operator", "stranger")]
Call = Callable[..., Any]


@dataclass
class History:
    sealed: list[tuple[bytes, int, Outcome]]
    contracts: list[bytes]


@pytest.fixture(scope="module")
def history() -> History:
    machine = history_of_everything()
    chain = machine.ledger.chain
    assert isinstance(chain, RecordingChain)
    created = [outcome.created for _, _, outcome in chain.sealed if outcome.created]
    return History(chain.sealed, created)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[OwnNode]:
    directory, clock = DataDirectory(tmp_path / "node"), WallClock(GENESIS_TIMESTAMP)
    operators = tuple(Address(account) for account in FUNDED)
    directory.initialize(chain_id=CHAIN_ID, sandbox=True, operators=operators, timestamp=GENESIS_TIMESTAMP)
    with open_chain(directory) as chain:
        pool = Pool()
        producer = BlockProducer(chain, pool, directory.sealer_key(), clock)
        producer.start()
        try:
            view = NodeView(chain, pool, producer, "test", ())
            yield OwnNode(chain, producer, Dispatcher(method_table(view)), clock)
        finally:
            producer.stop()


def test_node_and_anvil_do_the_same(history: History, node: OwnNode) -> None:
    def on_node(method: str, *parameters: Any) -> Any:
        answer = node.request(method, *parameters)
        assert "error" not in answer, answer
        return answer["result"]

    arguments = ("--chain-id", str(CHAIN_ID), "--timestamp", str(GENESIS_TIMESTAMP), "--gas-limit", str(GAS_PER_BLOCK))
    with anvil(*arguments, hardfork="osaka") as other:  # it has the precompile for passkeys, as the node has
        for account in FUNDED:
            other.call("anvil_setBalance", "0x" + account.hex(), hex(1_000 * ETHER))
        replay(history, on_node, node.producer.set_next_timestamp)
        replay(history, other.call, lambda timestamp: other.call("evm_setNextBlockTimestamp", timestamp))
        states = dumped(other.call("anvil_dumpState"))
        for address in history.contracts:
            ours, theirs = (call("eth_getProof", "0x" + address.hex(), [], "latest") for call in (on_node, other.call))
            assert ours["storageHash"] == storage_hash(states["0x" + address.hex()]["storage"])
            code = bytes.fromhex(on_node("eth_getCode", "0x" + address.hex(), "latest")[2:])
            assert 0 < len(code) < 24_576
            assert "0x" + keccak(code).hex() == ours["codeHash"] == theirs["codeHash"]


def dumped(state: str) -> dict[str, Any]:
    """Accounts as anvil keeps them."""
    accounts: dict[str, Any] = json.loads(gzip.decompress(bytes.fromhex(state[2:])))["accounts"]
    return accounts


def storage_hash(slots: dict[str, str]) -> str:
    """Of anvil's slots: the hash that its own proofs name counts slots that were set back to zero."""
    trie = HexaryTrie({})
    for slot, value in slots.items():
        if int(value, 16):
            trie[keccak(int(slot, 16).to_bytes(32))] = rlp.encode(int(value, 16))
    return "0x" + trie.root_hash.hex()


def replay(history: History, call: Call, set_time: Callable[[int], Any]) -> None:
    """Every transaction does what it did on the in-memory chain, to the unit of gas and the byte of its logs."""
    for raw, timestamp, outcome in history.sealed:
        set_time(timestamp)
        sent = call("eth_sendRawTransaction", "0x" + raw.hex())
        receipt = eventually(lambda sent=sent: call("eth_getTransactionReceipt", sent), "the receipt")
        block = call("eth_getBlockByNumber", receipt["blockNumber"], False)
        assert int(block["timestamp"], 16) == timestamp
        logs = [(log["address"], log["topics"], log["data"]) for log in receipt["logs"]]
        assert logs == [
            ("0x" + address.hex(), ["0x" + topic.hex() for topic in topics], "0x" + data.hex()) for address, topics, data in outcome.logs
        ]
        assert (receipt["status"] == "0x1", int(receipt["gasUsed"], 16)) == (outcome.succeeded, outcome.gas_used)
        assert outcome.gas_used < 2**24
