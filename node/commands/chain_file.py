"""`export` and `import`: a chain in one file, and a data directory from it."""

import contextlib
import json
import sys
from pathlib import Path

import click

from node.commands.options import data_option
from node.config import DataDirectory
from node.deep_stack import on_deep_stack
from node.importing import importing, take_block
from node.opening import beside_a_node
from node.store.chain_file import open_chain_file, read_blocks, read_head, write_chain

file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command("export")
@data_option
@file_argument
def export_chain(data: Path, file: Path) -> None:
    """Write the whole chain to FILE (`.gz` compresses). The node may go on running."""
    with beside_a_node(DataDirectory(data)) as (history, _):
        blocks = write_chain(history, file)
        result = {"exported_blocks": blocks + 1, "head_hash": "0x" + history.header(blocks).hash.hex()}
    click.echo(json.dumps({**result, "bytes": file.stat().st_size}))


@click.command("import")
@data_option
@file_argument
@on_deep_stack
def import_chain(data: Path, file: Path) -> None:
    """Make a data directory from FILE, executing every block again. Run again, it goes on where it stopped."""
    with contextlib.closing(open_chain_file(file)) as lines:
        head = read_head(lines)
        with importing(DataDirectory(data), head) as history:
            with click.progressbar(read_blocks(lines, head), length=head.blocks, label="importing", file=sys.stderr) as blocks:
                for sealed in blocks:
                    take_block(history, sealed)
            result = {"imported_blocks": head.blocks + 1, "head": history.head.block_number, "head_hash": "0x" + history.head.hash.hex()}
    click.echo(json.dumps(result))
