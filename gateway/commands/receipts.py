"""`splittally receipt entry | operation | points`: receipts to files, for anyone to check with scripts/verify_receipt.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gateway.chain.connection import Chain
from gateway.commands.payments import as_json_option, refusals_named
from gateway.config import Settings, load_settings
from gateway.receipts.prove import receipt_of_entry, receipt_of_operation, receipt_of_points
from gateway.store.session import Database

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
    with opened() as (database, chain):
        _give(receipt_of_operation(database, chain, operation_id), output, as_json)


@receipt.command("entry")
@click.option("--brand", "brand_id", type=click.IntRange(1), required=True)
@click.option("--batch", "batch_number", type=click.IntRange(0), required=True)
@click.option("--index", type=click.IntRange(0), required=True, help="The entry's place in the batch, from 0.")
@output_option
@as_json_option
@refusals_named
def entry_command(brand_id: int, batch_number: int, index: int, output: Path | None, as_json: bool) -> None:
    """The receipt of an entry by its place on the ledger."""
    with opened() as (database, chain):
        _give(receipt_of_entry(database, chain, brand_id, batch_number, index), output, as_json)


@receipt.command("points")
@click.argument("member_id")
@click.option("--block", type=click.IntRange(0), help="Default: the last one projected.")
@output_option
@as_json_option
@refusals_named
def points_command(member_id: str, block: int | None, output: Path | None, as_json: bool) -> None:
    """The receipt of a member's points at a block."""
    with opened() as (database, chain):
        _give(receipt_of_points(database, chain, member_id.lower(), block), output, as_json)


@contextmanager
def opened() -> Iterator[tuple[Database, Chain]]:
    """Database and node of the settings that the command line was given."""
    settings = click.get_current_context().find_object(Settings) or load_settings()
    database, chain = Database(settings.database_url), Chain(settings.rpc_url, settings.rpc_timeout_seconds)
    try:
        yield database, chain
    finally:
        chain.close()
        database.close()


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
