"""`backup`: a copy of the data directory, without stopping the node."""

import json
from pathlib import Path

import click

from node.backup import back_up
from node.commands.options import data_option
from node.config import DataDirectory


@click.command()
@data_option
@click.argument("to", type=click.Path(path_type=Path))
@click.option("--with-sealer-key", is_flag=True, help="Copy the key too: whoever has the copy can then seal blocks.")
def backup(data: Path, to: Path, with_sealer_key: bool) -> None:
    """Copy the chain to TO, a new directory, as of its last block. To restore: copy it back, then `verify`."""
    head = back_up(DataDirectory(data), to, with_key=with_sealer_key)
    size = sum(file.stat().st_size for file in to.rglob("*") if file.is_file())
    click.echo(json.dumps({"head": head, "bytes": size, "with_sealer_key": with_sealer_key}))
