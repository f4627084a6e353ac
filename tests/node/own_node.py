"""A node inside the test's own process: for clocks the test turns and requests by the thousand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_typing import Address

from node.app import open_chain
from node.chain.history import History
from node.chain.pool import Pool
from node.config import DataDirectory
from node.producer import BlockProducer
from node.rpc.dispatch import Dispatcher
from node.rpc.methods import method_table
from node.rpc.ports import NodeView
from tests.node.running_node import throwaway_account

OPERATOR = throwaway_account("operator")
FIRST = 1_577_836_800


@dataclass
class WallClock:
    seconds: float = FIRST

    def __call__(self) -> float:
        return self.seconds


@dataclass
class OwnNode:
    history: History
    producer: BlockProducer
    dispatcher: Dispatcher
    clock: WallClock = field(default_factory=WallClock)

    def request(self, method: str, *params: Any) -> dict[str, Any]:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return dict(json.loads(self.dispatcher.respond(json.dumps(body).encode())))

    def transfer(self, nonce: int) -> str:
        """A signed transaction, as a raw parameter."""
        fields = {"chainId": 7, "type": 2, "nonce": nonce, "gas": 21_000, "to": OPERATOR.address, "value": 0}
        signed = OPERATOR.sign_transaction(fields | {"maxFeePerGas": 100, "maxPriorityFeePerGas": 1})
        return "0x" + signed.raw_transaction.hex()

    def head(self) -> int:
        return int(self.history.head.block_number)


@contextmanager
def own_node(data: Path, *, sandbox: bool, sandbox_keys: tuple[bytes, ...] = ()) -> Iterator[OwnNode]:
    directory, clock = DataDirectory(data), WallClock()
    operator = Address(bytes.fromhex(OPERATOR.address[2:]))
    directory.initialize(chain_id=7, sandbox=sandbox, operators=(operator,), timestamp=FIRST)
    with open_chain(directory) as history:
        pool = Pool()
        producer = BlockProducer(history, pool, directory.sealer_key(), clock)
        producer.start()
        try:
            view = NodeView(history, pool, producer, "test", sandbox_keys)
            yield OwnNode(history, producer, Dispatcher(method_table(view)), clock)
        finally:
            producer.stop()
