"""`checkpoint sign | compare`: countersign a block one has seen; hold a chain against what others countersigned."""

import json
import time
from pathlib import Path

import click
from eth_keys.datatypes import PrivateKey
from eth_utils.exceptions import ValidationError

from node.chain import checkpoints
from node.chain.checkpoints import BadCheckpoint
from node.commands.options import data_option
from node.config import DataDirectory
from node.opening import beside_a_node
from node.store import checkpoint_file


@click.group()
def checkpoint() -> None:
    """Countersigned checkpoints: whether everyone was shown the same chain."""


@checkpoint.command()
@data_option
@click.option("--key", type=click.Path(path_type=Path), required=True, help="File with the signer's private key in hex.")
@click.option("--block", type=click.IntRange(min=0), help="Default: the head.")
def sign(data: Path, key: Path, block: int | None) -> None:
    """Print a checkpoint of this chain, signed. Sign what your own replica has executed."""
    try:
        signer = PrivateKey(bytes.fromhex(key.read_text("ascii").strip().removeprefix("0x")))
    except (OSError, ValueError, ValidationError) as error:
        raise BadCheckpoint(f"the key {key} cannot be read") from error
    with beside_a_node(DataDirectory(data)) as (history, _):
        number = int(history.head.block_number) if block is None else block
        click.echo(checkpoint_file.encode(checkpoints.sign(history, number, signer, int(time.time()))), nl=False)


@checkpoint.command()
@data_option
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
def compare(data: Path, files: tuple[Path, ...]) -> None:
    """Hold this chain against checkpoints. Status 1, naming block and signer, if it is not the one they countersigned."""
    with beside_a_node(DataDirectory(data)) as (history, _):
        click.echo(json.dumps(checkpoints.agreement(history, [checkpoint_file.read(file) for file in files])))
