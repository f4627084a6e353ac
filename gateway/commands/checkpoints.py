"""`splittally checkpoints list | anchor`."""

from __future__ import annotations

from typing import Any

import click

from gateway.commands.options import as_csv_option, as_json_option


@click.group()
def checkpoints() -> None:
    """What witnesses countersigned."""


@checkpoints.command("list")
@as_json_option
@as_csv_option
def list_command(**asked: Any) -> None:
    """Of each witness the newest, and every one that saw another block."""
    from gateway.commands.running import checkpoints as running

    running.show_checkpoints(**asked)


@checkpoints.command("anchor")
@as_json_option
def anchor_command(**asked: Any) -> None:
    """Anchor the newest of each witness, signed by the operator; asked again, say where it stands."""
    from gateway.commands.running import checkpoints as running

    running.anchor_newest(**asked)


COMMANDS = (checkpoints,)
