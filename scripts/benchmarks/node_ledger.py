"""The points ledger on a node of any make, over HTTP: transactions in, a block mined on demand, the receipt read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from scripts.benchmarks.issuing import Issuer
from scripts.benchmarks.json_rpc import JsonRpc, RpcFailure, RpcProcess
from scripts.benchmarks.peers import Peer

COALITION_ID = bytes(range(32))  # any will do: the chain is the benchmark's own
MAX_FEE = 10**10
RECEIPT_WITHIN_SECONDS = 120
POLL_SECONDS = 0.005


class NodeLedger:
    """Deployed by the constructor; from then on blocks come only from `seal`, if the node can wait."""

    def __init__(self, peer: Peer, node: RpcProcess) -> None:
        self.rpc = node.rpc
        self.issuer = Issuer(COALITION_ID, time.time(), chain_id=int(self.rpc.call("eth_chainId"), 16), max_fee=MAX_FEE)
        self.address = "0x" + self.issuer.address.hex()
        for raw in self.issuer.deployment():
            wait_for_receipt(self.rpc, self.rpc.send(raw))
        self._mines = peer.manual is not None
        if peer.manual:
            method, parameters = peer.manual
            self.rpc.call(method, *parameters)

    def seal(self, transactions: Sequence[bytes]) -> None:
        """Returns when the last of them stands in a block. Raises if it reverted."""
        sent = [self.rpc.send(raw) for raw in transactions]
        if self._mines:
            self.rpc.call("evm_mine")
        while receipt(self.rpc, sent[-1]) is None:  # some fill less into a block than others
            self.rpc.call("evm_mine")


def wait_for_receipt(rpc: JsonRpc, transaction_hash: str) -> None:
    deadline = time.monotonic() + RECEIPT_WITHIN_SECONDS
    while receipt(rpc, transaction_hash) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no receipt of {transaction_hash} after {RECEIPT_WITHIN_SECONDS} s")
        time.sleep(POLL_SECONDS)


def receipt(rpc: JsonRpc, transaction_hash: str) -> dict[str, Any] | None:
    """None if there is none yet. Raises if the transaction reverted."""
    try:
        found: dict[str, Any] | None = rpc.call("eth_getTransactionReceipt", transaction_hash)
    except RpcFailure:  # eth-tester's way of saying so
        return None
    if found is not None and int(str(found["status"]), 16) != 1:
        raise RuntimeError(f"transaction {transaction_hash} reverted")
    return found
