"""The same chain served by a node in a process of its own, as clients see it: over HTTP."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks.figures import Figures, rates, spread
from scripts.benchmarks.json_rpc import JsonRpc, RpcProcess, free_port

POLL_SECONDS = 0.001
PROOFS_FIRST = 20  # not counted: the process has just started


def measure(directory: Path, batches: Sequence[bytes], singles: Sequence[bytes], proof_requests: Sequence[bytes], size: int) -> Figures:
    port = free_port()
    command = [sys.executable, "-m", "node", "run", "--data", str(directory), "--port", str(port)]
    with RpcProcess(command, port, log=directory.with_suffix(".log")) as node:
        taken = [_seconds(node.rpc, json.loads(body)["params"]) for body in proof_requests]
        figures: Figures = {"proof_ms": spread(taken[PROOFS_FIRST:])}
        start = time.perf_counter()
        previous: str | None = None
        for raw in batches:
            sent = node.rpc.send(raw)
            if previous is not None:
                _receipt(node.rpc, previous)
            previous = sent
        assert previous is not None
        _receipt(node.rpc, previous)
        figures["batched_existing"] = rates(size * len(batches), time.perf_counter() - start)
        taken = []
        for raw in singles:
            start = time.perf_counter()
            _receipt(node.rpc, node.rpc.send(raw))
            taken.append(time.perf_counter() - start)
        figures["one_at_a_time_ms"] = spread(taken)
        node.stop()
    return figures


def _seconds(rpc: JsonRpc, params: Sequence[object]) -> float:
    start = time.perf_counter()
    rpc.call("eth_getProof", *params)
    return time.perf_counter() - start


def _receipt(rpc: JsonRpc, transaction_hash: str) -> None:
    """Returns when the transaction stands in a block; polls, as clients do."""
    while (receipt := rpc.call("eth_getTransactionReceipt", transaction_hash)) is None:
        time.sleep(POLL_SECONDS)
    if receipt["status"] != "0x1":
        raise RuntimeError(f"transaction {transaction_hash} reverted")
