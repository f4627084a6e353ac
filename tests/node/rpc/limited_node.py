"""A node in the test's own process, served over HTTP as an operator's is, with a budget a request that the test chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from eth_typing import Address

from node.app import listen, open_chain
from node.chain.budget import Budget
from node.chain.pool import Pool
from node.config import DataDirectory
from node.producer import BlockProducer
from node.rpc.ports import NodeView
from node.rpc.server import application
from tests.node.own_node import FIRST, OPERATOR, WallClock

PLACE = "0x" + "aa" * 20
ENDLESS_LOOP = "0x5b5f56"


@dataclass
class LimitedNode:
    """A new server for each `limits`: of one chain, which goes on."""

    view: NodeView
    serving: Callable[..., Any]

    def batch(self, *asked: tuple[str, list[Any]], **limits: float) -> list[dict[str, Any]]:
        requests = [{"jsonrpc": "2.0", "id": number, "method": method, "params": params} for number, (method, params) in enumerate(asked)]
        with self.serving(partial(Budget, **limits)) as client:
            return list(client.post("/", json=requests).json())

    def request(self, method: str, *params: Any, **limits: float) -> dict[str, Any]:
        return self.batch((method, list(params)), **limits)[0]

    def transaction(self, **fields: Any) -> str:
        """Signed by the operator, as a raw parameter."""
        nonce = int(self.request("eth_getTransactionCount", OPERATOR.address, "pending")["result"], 16)
        fees = {"maxFeePerGas": 100, "maxPriorityFeePerGas": 1}
        signed = OPERATOR.sign_transaction({"chainId": 7, "type": 2, "nonce": nonce, "gas": 200_000, "value": 0, **fees, **fields})
        return "0x" + signed.raw_transaction.hex()


@contextmanager
def limited_node(data: Path, pool: Pool | None = None) -> Iterator[LimitedNode]:
    directory, pool = DataDirectory(data), Pool() if pool is None else pool
    directory.initialize(chain_id=7, sandbox=True, operators=(Address(bytes.fromhex(OPERATOR.address[2:])),), timestamp=FIRST)
    with open_chain(directory) as history:
        producer = BlockProducer(history, pool, directory.sealer_key(), WallClock())
        producer.start()
        try:
            view = NodeView(history, pool, producer, "test")
            yield LimitedNode(view, partial(_serving, view))
        finally:
            producer.stop()


@contextmanager
def _serving(view: NodeView, new_budget: Callable[[], Budget]) -> Iterator[httpx.Client]:
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(application(view, new_budget), log_config=None, lifespan="off", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    listening.listen()
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def on_code(code: str, **call: str) -> list[Any]:
    """Parameters of eth_call: this code at a place of no other meaning."""
    return [{"to": PLACE, **call}, "latest", {PLACE: {"code": code}}]


def traced(code: str, **options: Any) -> list[Any]:
    """Parameters of debug_traceCall."""
    return [{"to": PLACE}, "latest", {"stateOverrides": {PLACE: {"code": code}}, **options}]


ENDLESS: tuple[str, list[Any]] = ("eth_call", on_code(ENDLESS_LOOP))
MANY_ROUNDS: tuple[str, list[Any]] = (
    "eth_call",
    [{"to": "0x" + "09".rjust(40, "0"), "data": f"0x{60_000_000:08x}" + "01" * 209}],
)  # Blake2
