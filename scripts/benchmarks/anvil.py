"""Foundry's anvil as an engine for the same raw transactions: mining on demand, everything in memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.benchmarks.issuing import CHAIN_ID, OPERATOR
from scripts.benchmarks.json_rpc import RpcProcess, free_port

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
GAS_LIMIT = 2**40
BASE_FEE_PER_GAS = 7
FUNDS_WEI = 10**27
TOGETHER = 20  # transactions a block while catching up


def find_anvil(given: Path | None = None) -> Path | None:
    found = shutil.which("anvil")
    candidates = [given] if given else [Path(found)] if found else [ROOT / "tests/conformance/clients" / INSTALLED]
    return next((path for path in candidates if path and path.is_file()), None)


class Anvil:
    def __init__(self, node: RpcProcess) -> None:
        self.node = node

    def seal(self, transactions: Sequence[bytes]) -> None:
        for raw in transactions:
            self.node.rpc.send(raw)
        self.node.rpc.call("evm_mine")

    def catch_up(self, transactions: Sequence[bytes]) -> None:
        """Many to a block: to reach a state, not to be measured."""
        for first in range(0, len(transactions), TOGETHER):
            self.seal(transactions[first : first + TOGETHER])

    def storage_at(self, address: bytes, slot: int) -> int:
        return int(self.node.rpc.call("eth_getStorageAt", "0x" + address.hex(), hex(slot), "latest"), 16)


@contextmanager
def anvil(program: Path, directory: Path) -> Iterator[Anvil]:
    port = free_port()
    options = {
        "--port": port,
        "--chain-id": CHAIN_ID,
        "--hardfork": "prague",
        "--gas-limit": GAS_LIMIT,
        "--block-base-fee-per-gas": BASE_FEE_PER_GAS,
        "--order": "fifo",
        "--accounts": 1,
        "--cache-path": directory / "anvil",
    }
    command = [str(program), "--no-mining", "--silent", *(str(part) for option in options.items() for part in option)]
    with RpcProcess(command, port, log=directory / "anvil.log") as node:
        node.rpc.call("anvil_setBalance", "0x" + OPERATOR.public_key.to_canonical_address().hex(), hex(FUNDS_WEI))
        yield Anvil(node)
