"""`splittally openings import | show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.commands.options import as_json_option, brand_option

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def openings() -> None:
    """Balances that a brand brings along from an earlier programme."""


@openings.command("import")
@click.argument("path", type=_FILE)
@brand_option
@click.option("--programme", required=True, help="Names the earlier programme: a balance of it comes over once.")
@click.option("--ratio", required=True, metavar="POINTS:UNITS", help="Points for so many units, e.g. 1:2; each line is rounded down.")
@click.option("--expires-on", type=click.DateTime(["%Y-%m-%d"]), help="For lines that name no date of their own.")
@as_json_option
def import_openings_command(**asked: Any) -> None:
    """Take over a file of balances (CSV: member_id, balance, expires_on). The same file again gives nothing twice."""
    from gateway.commands.running import openings

    openings.import_file(**asked)


@openings.command("show")
@click.argument("opening_file_id")
@as_json_option
def show_openings_command(**asked: Any) -> None:
    """Show how an import stands: what is on the ledger, what waits for its member, and what was refused."""
    from gateway.commands.running import openings

    openings.show(**asked)


COMMANDS = (openings,)
