"""`sealer rotate | show`: hand the sealing over to another key, in the open; who sealed from which block on."""

import json
from pathlib import Path

import click

from node.commands.options import data_option
from node.config import DataDirectory
from node.opening import beside_a_node
from node.rotation import rotate as rotate_key


@click.group()
def sealer() -> None:
    """The key that seals blocks."""


@sealer.command()
@data_option
def rotate(data: Path) -> None:
    """Make a new key, and seal one block with it under the old key's signature; the node must not be running.

    Tell everyone who trusts the old address the new one. Copies of the old key can still seal other stories: destroy them.
    """
    directory = DataDirectory(data)
    handover = rotate_key(directory)
    click.echo(json.dumps({"from_block": handover.number, "sealer": "0x" + handover.sealer.hex()}))


@sealer.command()
@data_option
def show(data: Path) -> None:
    """Who seals from which block on, and the signature of the one before, a line each."""
    with beside_a_node(DataDirectory(data)) as (history, _):
        known = history.sealers
    click.echo(json.dumps({"from_block": 0, "sealer": "0x" + known.first.hex(), "signature": None}))
    for each in known.handovers:
        signed = {"from_block": each.number, "sealer": "0x" + each.sealer.hex(), "signature": "0x" + each.signature.hex()}
        click.echo(json.dumps(signed))
