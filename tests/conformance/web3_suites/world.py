"""The chain web3.py's own suites expect: their chain id, their contracts, an empty block, and then a block with logs.

WEB3_SUITES_ENGINE=anvil builds it on anvil, an address on whatever answers there (with that chain id and ACCOUNT unlocked).
Then no case is marked: all 462 run, and what does not pass is counted as such. WEB3_SUITES_ENGINE=node does so with this node.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from web3 import HTTPProvider, Web3
from web3._utils.contract_sources.contract_data._custom_contract_data import EMITTER_ENUM
from web3._utils.contract_sources.contract_data.emitter_contract import EMITTER_CONTRACT_DATA
from web3._utils.contract_sources.contract_data.math_contract import MATH_CONTRACT_DATA
from web3._utils.contract_sources.contract_data.offchain_lookup import OFFCHAIN_LOOKUP_DATA
from web3._utils.contract_sources.contract_data.panic_errors_contract import PANIC_ERRORS_CONTRACT_DATA
from web3._utils.contract_sources.contract_data.revert_contract import REVERT_CONTRACT_DATA
from web3._utils.contract_sources.contract_data.storage_contract import STORAGE_CONTRACT_DATA

from tests.conformance.clients.outside import Endpoint, anvil
from tests.node.running_node import RunningNode, run_node_command

CHAIN_ID = 131277322940537  # written into the suites
ACCOUNT = Account.from_key("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # the first of anvil's accounts
ENGINE = os.environ.get("WEB3_SUITES_ENGINE")
CONTRACTS: dict[str, dict[str, Any]] = {
    "math": MATH_CONTRACT_DATA,
    "emitter": EMITTER_CONTRACT_DATA,
    "revert": REVERT_CONTRACT_DATA,
    "offchain_lookup": OFFCHAIN_LOOKUP_DATA,
    "panic_errors": PANIC_ERRORS_CONTRACT_DATA,
    "storage": STORAGE_CONTRACT_DATA,
}


@dataclass
class World:
    node: RunningNode | Endpoint
    addresses: dict[str, str] = field(default_factory=dict)
    transactions: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Any] = field(default_factory=dict)

    @property
    def websocket_url(self) -> str:
        return self.node.url.replace("http", "ws")


@contextmanager
def world(data: Path, block_seconds: int | None) -> Iterator[World]:
    """With `block_seconds` the engine seals at that pace, empty blocks too; without, a transaction is sealed at once."""
    with _engine(data) as engine:
        built = World(engine)
        client = Web3(HTTPProvider(engine.url))
        _build(built, client)
        client.provider._request_session_manager.session_cache.clear()  # type: ignore[attr-defined]
        if block_seconds is not None:
            engine.call("evm_setIntervalMining", block_seconds)
        yield built


@contextmanager
def _engine(data: Path) -> Iterator[RunningNode | Endpoint]:
    if ENGINE == "anvil":
        with anvil("--chain-id", str(CHAIN_ID)) as running:
            yield running
    elif ENGINE not in (None, "node"):
        yield Endpoint("elsewhere", ENGINE)
    else:
        created = run_node_command("init", "--data", str(data), "--sandbox", "--operator", ACCOUNT.address, "--chain-id", str(CHAIN_ID))
        assert created.returncode == 0, created.stderr
        (data / "sandbox.keys").write_text(ACCOUNT.key.hex() + "\n")
        with RunningNode(data) as node:
            yield node


def _build(built: World, client: Web3) -> None:
    def sealed(transaction_hash: Any) -> Any:
        return client.eth.wait_for_transaction_receipt(transaction_hash, poll_latency=0.01)

    client.eth.default_account = ACCOUNT.address
    for name, contract in CONTRACTS.items():
        sent = client.eth.contract(**contract).constructor().transact()
        built.transactions[name], built.addresses[name] = sent, sealed(sent)["contractAddress"]
    plain = client.eth.send_transaction({"from": ACCOUNT.address, "to": ACCOUNT.address, "value": 10**9})
    built.transactions["plain"], built.blocks["plain"] = plain, sealed(plain)["blockHash"]
    built.node.call("evm_mine")
    built.blocks["empty"] = client.eth.get_block("latest")["hash"]
    emitter = client.eth.contract(built.addresses["emitter"], abi=CONTRACTS["emitter"]["abi"])
    logged = emitter.functions.logDouble(EMITTER_ENUM["LogDoubleWithIndex"], 12345, 54321).transact()
    built.transactions["logs"], built.blocks["logs"] = logged, sealed(logged)["blockHash"]
