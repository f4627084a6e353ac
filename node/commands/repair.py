"""`repair`: a damaged store made whole, from what is good in it and from the same chain elsewhere."""

import contextlib
import json
from pathlib import Path

import click

from node.commands.options import data_option
from node.config import DataDirectory
from node.deep_stack import on_deep_stack
from node.repair.rebuilding import repair as rebuild
from node.repair.sources import open_source


@click.command()
@data_option
@click.option("--from", "place", metavar="SOURCE", help="A backup or other data directory, a chain file, or a node's URL.")
@on_deep_stack
def repair(data: Path, place: str | None) -> None:
    """Rebuild the store from its own good blocks and from SOURCE, executing each again. The node must not be running.

    Without a source, what follows from the blocks (state, receipts, indexes) is restored. The damaged store is kept as `chain.damaged`.
    """
    with contextlib.nullcontext() if place is None else open_source(place) as source:
        result = rebuild(DataDirectory(data), source, _say_progress)
    found = {
        "head": result.head,
        "restored_rows": dict(sorted(result.restored_rows.items())),
        "blocks_from_source": len(result.blocks_from_source),
        "damaged_store": result.damaged_store and str(result.damaged_store),
    }
    click.echo(json.dumps(found))
    if result.warning:
        click.echo(f"warning: {result.warning}", err=True)


def _say_progress(number: int) -> None:
    if number % 1_000 == 0:
        click.echo(f"block {number} …", err=True)
