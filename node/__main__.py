"""`python -m node`: create a chain, run it, verify it."""

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
from eth_typing import Address

from node.app import run as run_node
from node.chain.checkpoints import agreement, held_against
from node.chain.errors import ChainError
from node.chain.genesis import GenesisConfig
from node.chain.rules import run_on_py_evm
from node.chain.verification import verify_chain
from node.commands.backup import backup
from node.commands.chain_file import export_chain, import_chain
from node.commands.checkpoint import checkpoint
from node.commands.options import data_option, evm_option, trie_option
from node.commands.repair import repair
from node.commands.sealer import sealer
from node.config import DEFAULT_CHAIN_ID, DataDirectory
from node.deep_stack import on_deep_stack
from node.opening import sole_user
from node.replica.running import Trusted, follow
from node.store.checkpoint_file import read as read_checkpoint


class _Address(click.ParamType[Address]):
    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        if isinstance(value, bytes):
            return Address(value)
        text = str(value)
        try:
            decoded = bytes.fromhex(text.removeprefix("0x"))
        except ValueError:
            decoded = b""
        if len(decoded) != 20 or not text.startswith("0x"):
            self.fail(f"{value!r} is not a 0x-prefixed 20-byte address", param, ctx)
        return Address(decoded)


def genesis_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--timestamp", type=click.IntRange(min=0), help="Genesis time, Unix seconds. Default: now."),
        click.option("--operator", "operators", type=_Address(), multiple=True, help="Funded in genesis; repeatable."),
        click.option("--sandbox", is_flag=True, help="Allow evm_* methods that set the chain's time."),
        click.option("--chain-id", type=click.IntRange(min=1), default=DEFAULT_CHAIN_ID, show_default=True),
    ):
        command = option(command)
    return command


@click.group()
def main() -> None:
    """A durable EVM ledger behind Ethereum JSON-RPC."""
    os.umask(0o077)


@main.command()
@data_option
@genesis_options
def init(data: Path, chain_id: int, sandbox: bool, operators: tuple[Address, ...], timestamp: int | None) -> None:
    """Create a new chain: genesis.json and the sealer's key."""
    config = _initialize(DataDirectory(data), chain_id, sandbox, operators, timestamp)
    click.echo(f"coalition id 0x{config.coalition_id.hex()}, sealer 0x{config.sealer.hex()}", err=True)


@main.command()
@data_option
@click.option("--port", type=click.IntRange(0, 65535), default=8545, show_default=True, help="0 picks a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address; anything else is refused.")
@click.option("--init", "create", is_flag=True, help="Create the chain first if the directory holds none.")
@click.option("--follow", "primary", metavar="URL", help="Be a replica: take blocks from this node, execute each again, seal none.")
@click.option("--trusted-genesis", metavar="HASH", help="With --follow: refuse a primary of another chain, also the first time.")
@click.option(
    "--checkpoint", "checkpoints", type=click.Path(path_type=Path), multiple=True, help="With --follow: what others countersigned."
)
@trie_option
@evm_option
@genesis_options
def run(
    data: Path,
    port: int,
    host: str,
    create: bool,
    primary: str | None,
    trusted_genesis: str | None,
    checkpoints: tuple[Path, ...],
    chain_id: int,
    sandbox: bool,
    operators: tuple[Address, ...],
    timestamp: int | None,
    trie: str,
    evm: str,
) -> None:
    """Serve the chain until SIGTERM. The first line on stdout is JSON and says where."""
    _choose(evm)
    directory = DataDirectory(data)
    if primary is not None:
        if create:
            raise click.UsageError("a replica's chain comes from its primary: --follow and --init exclude each other")
        genesis_hash = None if trusted_genesis is None else _hash(trusted_genesis)
        follow(directory, host, port, primary, Trusted(genesis_hash, tuple(map(read_checkpoint, checkpoints))))
        return
    if trusted_genesis is not None or checkpoints:
        raise click.UsageError("--trusted-genesis and --checkpoint are for a replica: they go with --follow")
    if not create and (sandbox or operators or timestamp is not None or chain_id != DEFAULT_CHAIN_ID):
        raise click.UsageError("--chain-id, --sandbox, --operator and --timestamp make a new chain: they go with --init")
    if create and not directory.is_initialized:
        _initialize(directory, chain_id, sandbox, operators, timestamp)
    run_node(directory, host, port, batched_trie=trie == "batched")


@main.command()
@data_option
@click.option("--checkpoint", "checkpoints", type=click.Path(path_type=Path), multiple=True, help="What others countersigned; repeatable.")
@trie_option
@evm_option
@on_deep_stack
def verify(data: Path, checkpoints: tuple[Path, ...], trie: str, evm: str) -> None:
    """Re-execute the whole chain from its genesis, and hold it against checkpoints; the node must not be running."""
    _choose(evm)
    started = time.monotonic()
    countersigned = [read_checkpoint(file) for file in checkpoints]
    with sole_user(DataDirectory(data), batched_trie=trie == "batched") as history:
        verified = held_against(history, countersigned, verify_chain(history))
        with click.progressbar(verified, length=history.head.block_number + 1, label="verifying", file=sys.stderr) as numbers:
            for _ in numbers:
                pass
        result = {"verified_blocks": history.head.block_number + 1, "head_hash": "0x" + history.head.hash.hex()}
        if countersigned:
            result["checkpoints"] = agreement(history, countersigned)
    click.echo(json.dumps({**result, "seconds": round(time.monotonic() - started, 1)}))


for command in (export_chain, import_chain, backup, repair, checkpoint, sealer):
    main.add_command(command)


def _choose(evm: str) -> None:
    if evm == "stock":
        run_on_py_evm()


def _hash(text: str) -> bytes:
    try:
        value = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        value = b""
    if len(value) != 32:
        raise click.UsageError(f"{text!r} is not a 32-byte hash")
    return value


def _initialize(
    directory: DataDirectory, chain_id: int, sandbox: bool, operators: tuple[Address, ...], timestamp: int | None
) -> GenesisConfig:
    now = int(time.time())
    if timestamp is not None and timestamp > now and not sandbox:
        raise click.UsageError("the genesis time of a chain that is no sandbox cannot lie in the future")
    return directory.initialize(
        chain_id=chain_id,
        sandbox=sandbox,
        operators=operators,
        timestamp=now if timestamp is None else timestamp,
    )


def _main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        main(prog_name="python -m node")
    except ChainError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    _main()
