"""A contract that stores what it is told: calldata is pairs of slot and value, 32 bytes each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_utils import to_checksum_address

from tests.conformance.clients.outside import Endpoint, eventually

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the first of anvil's funded accounts
OWNER = Account.from_key(KEY)
RUNTIME = bytes.fromhex("5f5b803611156017578060200135813555604001600156" + "5b00")
CREATION = bytes.fromhex(f"60{len(RUNTIME):02x}8060095f395ff3") + RUNTIME
SLOTS_PER_TRANSACTION = 150


@dataclass
class Keeper:
    """One on an endpoint of its own: the sender's nonce, and with it the contract's address, is the same on every endpoint."""

    endpoint: Endpoint
    address: str = ""
    held: dict[int, int] = field(default_factory=dict)

    def deploy(self) -> Keeper:
        self.address = str(self._send({"data": "0x" + CREATION.hex()})["contractAddress"])
        self.held = {}
        return self

    def store(self, values: dict[int, int]) -> None:
        pairs = list(values.items())
        for start in range(0, len(pairs), SLOTS_PER_TRANSACTION):
            chunk = pairs[start : start + SLOTS_PER_TRANSACTION]
            data = b"".join(slot.to_bytes(32, "big") + value.to_bytes(32, "big") for slot, value in chunk)
            self._send({"to": self.address, "data": "0x" + data.hex()})
        self.held.update(values)

    def proof(self, slots: list[int]) -> dict[str, Any]:
        keys = ["0x" + slot.to_bytes(32, "big").hex() for slot in slots]
        found: dict[str, Any] = self.endpoint.call("eth_getProof", self.address, keys, "latest")
        return found

    def _send(self, fields: dict[str, Any]) -> dict[str, Any]:
        nonce = int(self.endpoint.call("eth_getTransactionCount", OWNER.address, "latest"), 16)
        chain_id = int(self.endpoint.call("eth_chainId"), 16)
        fees = {"type": 2, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1, "gas": 8_000_000, "value": 0}
        to = {"to": to_checksum_address(fields["to"])} if "to" in fields else {}
        signed = OWNER.sign_transaction({**fees, **fields, **to, "nonce": nonce, "chainId": chain_id})
        sent = self.endpoint.call("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
        receipt: dict[str, Any] = eventually(lambda: self.endpoint.call("eth_getTransactionReceipt", sent), "the receipt")
        assert receipt["status"] == "0x1"
        return receipt
