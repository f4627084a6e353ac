"""`splittally receipt entry | operation | points`: receipts to files, for anyone to check with scripts/verify_receipt.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gateway.commands.running.opening import open_chain, open_database
from gateway.commands.running.troubles import troubles_named
from gateway.receipts.prove import receipt_of_entry, receipt_of_operation, receipt_of_points


@troubles_named
def prove_operation(operation_id: str, output: Path | None, as_json: bool) -> None:
    _give(receipt_of_operation(open_database(), open_chain(), operation_id), output, as_json)


@troubles_named
def prove_entry(brand_id: int, batch_number: int, index: int, output: Path | None, as_json: bool) -> None:
    _give(receipt_of_entry(open_database(), open_chain(), brand_id, batch_number, index), output, as_json)


@troubles_named
def prove_points(member_id: str, block: int | None, output: Path | None, as_json: bool) -> None:
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
