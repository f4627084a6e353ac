"""`splittally liability draft | publish | show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.commands.options import LARGEST, as_json_option, brand_option

statement_argument = click.argument("statement", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def liability() -> None:
    """What a brand owes its holders: statements that anyone can check."""


@liability.command("draft")
@brand_option
@click.option("--block", "block_number", type=click.IntRange(0, LARGEST), help="Default: the last one projected.")
@click.option("--coverage-minor", type=click.IntRange(0, LARGEST), help="The reserve, in minor units of the settlement currency.")
@click.option("--coverage-source", help="The hash of the document that shows the reserve: 0x and 64 hex digits.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=True)
@as_json_option
def draft_command(**asked: Any) -> None:
    """Draft a statement, and print what the brand's owner signs."""
    from gateway.commands.running import liability as running

    running.draft(**asked)


@liability.command("publish")
@statement_argument
@click.option("--signature", help="By the brand's owner: 0x and 130 hex digits. Once the statement has it, it may be left out.")
@as_json_option
def publish_command(**asked: Any) -> None:
    """Anchor a signed statement; asked again once it is anchored, put the proof of that into the file."""
    from gateway.commands.running import liability as running

    running.publish(**asked)


@liability.command("show")
@statement_argument
@as_json_option
def show_command(**asked: Any) -> None:
    """What a statement says, and whether it is signed and anchored. Checks nothing: scripts/verify_liability.py does."""
    from gateway.commands.running import liability as running

    running.show(**asked)


COMMANDS = (liability,)
