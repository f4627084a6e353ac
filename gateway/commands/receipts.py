"""`splittally receipt entry | operation | points`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.commands.options import LARGEST, as_json_option, brand_option

output_option = click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Default: print it.")


@click.group()
def receipt() -> None:
    """Receipts that anyone can check offline."""


@receipt.command("operation")
@click.argument("operation_id")
@output_option
@as_json_option
def operation_command(**asked: Any) -> None:
    """The receipt of the entry that an operation became."""
    from gateway.commands.running import receipts

    receipts.prove_operation(**asked)


@receipt.command("entry")
@brand_option
@click.option("--batch", "batch_number", type=click.IntRange(0, LARGEST), required=True)
@click.option("--index", type=click.IntRange(0, LARGEST), required=True, help="The entry's place in the batch, from 0.")
@output_option
@as_json_option
def entry_command(**asked: Any) -> None:
    """The receipt of an entry by its place on the ledger."""
    from gateway.commands.running import receipts

    receipts.prove_entry(**asked)


@receipt.command("points")
@click.argument("member_id")
@click.option("--block", type=click.IntRange(0, LARGEST), help="Default: the last one projected.")
@output_option
@as_json_option
def points_command(**asked: Any) -> None:
    """The receipt of a member's points at a block."""
    from gateway.commands.running import receipts

    receipts.prove_points(**asked)


COMMANDS = (receipt,)
