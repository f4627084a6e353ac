"""A node in a process of its own, as an operator would run it, and a plain JSON-RPC client for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

ROOT = Path(__file__).parents[2]
FEES = {"maxFeePerGas": 100, "maxPriorityFeePerGas": 1}


class RpcFailure(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


@dataclass
class RunningNode:
    """Use as a context manager; `kill` and `start` again on the same data directory at will."""

    data: Path
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    ready: dict[str, Any] | None = None
    client: httpx.Client | None = None

    def start(self) -> RunningNode:
        self.process = node_process("run", "--data", str(self.data), "--port", "0", "--init", *self.arguments)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the node did not start: {self.process.communicate()[1]}"
        self.ready = json.loads(line)
        self.client = httpx.Client(base_url=self.url, timeout=60)
        return self

    @property
    def url(self) -> str:
        assert self.ready is not None
        return str(self.ready["rpc_url"])

    @property
    def chain_id(self) -> int:
        assert self.ready is not None
        return int(self.ready["chain_id"])

    def request(self, method: str, *params: Any) -> dict[str, Any]:
        assert self.client is not None
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return dict(self.client.post("/", json=body).json())

    def call(self, method: str, *params: Any) -> Any:
        """The result; raises RpcFailure for an error answer."""
        answer = self.request(method, *params)
        if "error" in answer:
            raise RpcFailure(answer["error"])
        return answer["result"]

    def receipt(self, transaction_hash: str) -> dict[str, Any]:
        """Polls until the transaction is in a block."""
        while True:
            found = self.call("eth_getTransactionReceipt", transaction_hash)
            if found is not None:
                return dict(found)

    def nonce(self, account: LocalAccount) -> int:
        return int(self.call("eth_getTransactionCount", account.address, "pending"), 16)

    def send(self, account: LocalAccount, **fields: Any) -> dict[str, Any]:
        """Signs, sends and waits for the receipt."""
        return self.receipt(self.call("eth_sendRawTransaction", self.signed(account, **fields)))

    def signed(self, account: LocalAccount, **fields: Any) -> str:
        fees = {} if "gasPrice" in fields else FEES
        complete = {"chainId": self.chain_id, "gas": 200_000, "value": 0, "type": 2, **fees, **fields}
        if complete["type"] is None:
            del complete["type"]  # a legacy transaction
        complete["nonce"] = fields["nonce"] if "nonce" in fields else self.nonce(account)
        if "to" in fields:
            complete["to"] = to_checksum_address(fields["to"])
        return "0x" + account.sign_transaction(complete).raw_transaction.hex()

    def stop(self) -> int:
        """Asks politely; returns the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> int:
        assert self.process is not None
        assert self.client is not None
        self.client.close()
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        status = self.process.returncode
        self.process = None
        return int(status)

    def __enter__(self) -> RunningNode:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()


def node_process(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "node", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


def run_node_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    process = node_process(*arguments)
    output, errors = process.communicate(timeout=120)
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def throwaway_account(name: str) -> LocalAccount:
    """Always the same key for a name."""
    return Account.from_key(name.encode().rjust(32, b"k"))
