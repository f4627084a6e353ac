"""Local chains one may choose from, each as it is started for the comparison, with a funded operator and room in its blocks."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.benchmarks.anvil import find_anvil
from scripts.benchmarks.issuing import CHAIN_ID, OPERATOR
from scripts.benchmarks.json_rpc import JsonRpc, RpcProcess, free_port

PACKAGES = Path(__file__).parent / "peer_packages"  # npm ci
GAS_LIMIT = 2**40
FUNDS_WEI = 10**27
KEY = "0x" + OPERATOR.to_bytes().hex()
ADDRESS = "0x" + OPERATOR.public_key.to_canonical_address().hex()

Command = Callable[[Path, int], list[str]]


@dataclass(frozen=True)
class Peer:
    """`command` starts it on a directory and a port; again on the same directory to find what a process that was killed left."""

    name: str
    command: Command
    lasting: Command | None = None  # the options that keep most on disk, if they are others
    missing: str | None = None  # why it cannot be started
    prepare: Callable[[JsonRpc], None] = lambda rpc: None
    manual: tuple[str, tuple[object, ...]] | None = ("evm_setAutomine", (False,))  # None: a block for each transaction
    websocket: bool = True
    folder: Path | None = None  # where it must be started

    def start(self, directory: Path, *, lasting: bool = False) -> RpcProcess:
        directory.mkdir(exist_ok=True)
        port = free_port()
        command = self.lasting if lasting and self.lasting else self.command
        node = RpcProcess(command(directory, port), port, log=directory / "log", folder=self.folder)
        self.prepare(node.rpc)
        return node


def peers(packages: Path, anvil_program: Path | None) -> tuple[Peer, ...]:
    modules = packages / "node_modules"
    program = anvil_program or find_anvil() or modules / "@foundry-rs/anvil-linux-amd64/bin/anvil"
    ganache, hardhat = modules / "ganache/dist/node/cli.js", modules / "hardhat/internal/cli/cli.js"
    tester = None if importlib.util.find_spec("eth_tester") else "the Python package eth-tester is not installed"
    return (
        Peer("splittally", _splittally),
        Peer("anvil", partial(_anvil, program), partial(_lasting_anvil, program), _absent(program), _fund_on_anvil),
        Peer("ganache", partial(_ganache, ganache), missing=_absent(ganache), manual=("miner_stop", ())),
        Peer("hardhat", partial(_hardhat, hardhat), missing=_absent(hardhat), folder=packages),
        Peer("eth-tester", _eth_tester, missing=tester, manual=None, websocket=False),  # no two of one sender may wait
    )


def _absent(program: Path) -> str | None:
    if not program.is_file():
        return f"{program.name} is not installed; npm ci in the folder given as --peers brings it"
    return None if shutil.which("node") or program.suffix != ".js" else "Node.js is not installed"


def _splittally(directory: Path, port: int) -> list[str]:
    keys = directory / "node" / "sandbox.keys"
    keys.parent.mkdir(exist_ok=True)
    keys.write_text(KEY + "\n")
    chain = ("--data", str(keys.parent), "--port", str(port))
    return [sys.executable, "-m", "node", "run", *chain, "--init", "--sandbox", "--chain-id", str(CHAIN_ID), "--operator", ADDRESS]


def _anvil(program: Path, directory: Path, port: int) -> list[str]:
    blocks = ("--gas-limit", str(GAS_LIMIT), "--hardfork", "prague", "--order", "fifo")
    return [str(program), "--silent", "--port", str(port), "--chain-id", str(CHAIN_ID), *blocks, "--cache-path", str(directory / "cache")]


def _lasting_anvil(program: Path, directory: Path, port: int) -> list[str]:
    return [*_anvil(program, directory, port), "--state", str(directory / "state.json"), "--state-interval", "1"]


def _fund_on_anvil(rpc: JsonRpc) -> None:
    rpc.call("anvil_setBalance", ADDRESS, hex(FUNDS_WEI))


def _ganache(program: Path, directory: Path, port: int) -> list[str]:
    options = {
        "--server.port": port,
        "--chain.chainId": CHAIN_ID,
        "--wallet.accounts": f"{KEY},{FUNDS_WEI:#x}",
        "--database.dbPath": directory / "database",
        "--miner.blockGasLimit": hex(GAS_LIMIT),
    }
    return ["node", str(program), "--logging.quiet", *(str(part) for option in options.items() for part in option)]


def _hardhat(program: Path, directory: Path, port: int) -> list[str]:
    network = {
        "chainId": CHAIN_ID,
        "hardfork": "prague",
        "blockGasLimit": GAS_LIMIT,
        "initialBaseFeePerGas": 7,
        "mining": {"mempool": {"order": "fifo"}},
        "accounts": [{"privateKey": KEY, "balance": str(FUNDS_WEI)}],
        "loggingEnabled": False,
    }
    configuration = directory / "hardhat.config.js"
    configuration.write_text(f"module.exports = {json.dumps({'solidity': '0.8.28', 'networks': {'hardhat': network}})};\n")
    return ["node", str(program), "--config", str(configuration), "node", "--port", str(port)]


def _eth_tester(directory: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "scripts.benchmarks.eth_tester_server", str(port)]
