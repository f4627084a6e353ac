"""The same chain interface as `LedgerChain`, over the JSON-RPC of a node of whatever make that funded this key."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from eth.constants import ZERO_ADDRESS
from eth_account import Account
from eth_keys import keys

from tests.builders.ledger_chain import ETHER, GAS_PER_TRANSACTION, MAX_FEE, LedgerChain, Outcome, address_of, key_of


class RpcLedgerChain(LedgerChain):
    """`request` sends a method and its parameters, and gives the result."""

    def __init__(self, request: Callable[..., Any], operator: keys.PrivateKey) -> None:
        self.operator = operator
        self._request = request
        self.chain_id = int(request("eth_chainId"), 16)
        self.timestamp = self.next_timestamp - 1
        assert self.send(address_of(key_of("stranger")), b"", value=ETHER).succeeded

    @property
    def next_timestamp(self) -> int:
        return int(self._request("eth_getBlockByNumber", "latest", False)["timestamp"], 16) + 1

    def set_time(self, timestamp: int) -> None:
        assert timestamp <= self.next_timestamp, "a clock of its own goes on, and is not set"

    def sign(self, to: bytes, data: bytes, *, sender: keys.PrivateKey, gas: int = GAS_PER_TRANSACTION, value: int = 0) -> bytes:
        fees = {"gas": gas, "maxFeePerGas": MAX_FEE, "maxPriorityFeePerGas": 1}
        fields = {"type": 2, "chainId": self.chain_id, "nonce": self._nonce(sender), "to": to, "data": data, "value": value, **fees}
        return bytes(Account.sign_transaction(fields, sender.to_bytes()).raw_transaction)

    def _nonce(self, sender: keys.PrivateKey) -> int:
        return int(self._request("eth_getTransactionCount", sender.public_key.to_checksum_address(), "latest"), 16)

    def send_raw(self, raw: bytes) -> Outcome:
        sent = self._request("eth_sendRawTransaction", "0x" + raw.hex())
        end = time.monotonic() + 20
        while (receipt := self._request("eth_getTransactionReceipt", sent)) is None:
            assert time.monotonic() < end, "the transaction was never mined"
            time.sleep(0.01)
        self.timestamp = int(self._request("eth_getBlockByNumber", receipt["blockNumber"], False)["timestamp"], 16)
        logs = [(_bytes(log["address"]), [_bytes(topic) for topic in log["topics"]], _bytes(log["data"])) for log in receipt["logs"]]
        created = _bytes(receipt["contractAddress"] or "0x")
        return Outcome(receipt["status"] == "0x1", int(receipt["gasUsed"], 16), b"", logs, created)

    def call(self, to: bytes, data: bytes, *, sender: bytes = ZERO_ADDRESS) -> Outcome:
        message = {"to": "0x" + to.hex(), "from": "0x" + sender.hex(), "data": "0x" + data.hex()}
        return Outcome(True, 0, _bytes(self._request("eth_call", message, "latest")), [], b"")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
