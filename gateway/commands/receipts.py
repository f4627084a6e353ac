"""`splittally receipt entry | operation | points`: receipts to files, for anyone to check with scripts/verify_receipt.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gateway.commands.opening import as_json_option, open_chain, open_database, refusals_named
from gateway.receipts.prove import receipt_of_entry, receipt_of_operation, receipt_of_points

output_option = click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Default: print it.")


@click.group()
def receipt() -> None:
    """Receipts that anyone can check offline."""


@receipt.command("operation")
@click.argument("operation_id")
@output_option
@as_json_option
@refusals_named
def operation_command(operation_id: str, output: Path | None, as_json: bool) -> None:
    """The receipt of the entry that an operation became."""
    _give(receipt_of_operation(open_database(), open_chain(), operation_id), output, as_json)


@receipt.command("entry")
@click.option("--brand", "brand_id", type=click.IntRange(1), required=True)
@click.option("--batch", "batch_number", type=click.IntRange(0), required=True)
@click.option("--index", type=click.IntRange(0), required=True, help="The entry's place in the batch, from 0.")
@output_option
@as_json_option
@refusals_named
def entry_command(brand_id: int, batch_number: int, index: int, output: Path | None, as_json: bool) -> None:
    """The receipt of an entry by its place on the ledger."""
    _give(receipt_of_entry(open_database(), open_chain(), brand_id, batch_number, index), output, as_json)


@receipt.command("points")
@click.argument("member_id")
@click.option("--block", type=click.IntRange(0), help="Default: the last one projected.")
@output_option
@as_json_option
@refusals_named
def points_command(member_id: str, block: int | None, output: Path | None, as_json: bool) -> None:
    """The receipt of a member's points at a block."""
    _give(receipt_of_points(open_database(), open_chain(), member_id, block), output, as_json)


def _give(document: dict[str, Any], output: Path | None, as_json: bool) -> None:
    """A receipt is JSON either way; with --json what goes to a file is named in JSON too."""
    if output is None:
        click.echo(json.dumps(document))
        return
    output.write_text(json.dumps(document) + "\n")
    named = {"file": str(output), "block": document["block"]["number"], **document["coalition"]}
    trusted = {name: named[name] for name in ("file", "block", "genesis_hash", "sealer", "points_address")}
    click.echo(json.dumps(trusted) if as_json else f"{output}: proven at block {trusted['block']}")


COMMANDS = (receipt,)
