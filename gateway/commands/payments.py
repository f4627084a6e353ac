"""`splittally files | reconcile | breaks`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.commands.options import LARGEST, as_csv_option, as_json_option, brand_option
from gateway.reconciliation.breaks import BreakKind

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def files() -> None:
    """Payment files and the layouts they come in."""


@click.group()
def breaks() -> None:
    """Named disagreements found by reconciliations."""


@files.command("import")
@click.argument("path", type=_FILE)
@brand_option
@click.option("--layout", required=True, help="stripe-payout-reconciliation, mapped:NAME or mapped:NAME@VERSION.")
@click.option("--reference-column", help="Stripe: the column that holds the payment id.")
@click.option("--time-zone", help="Stripe: the time zone of the column `created`.")
@click.option("--expected-rows", type=click.IntRange(0, LARGEST), help="Control total: data rows of the file.")
@click.option("--expected-gross-minor", type=click.IntRange(-LARGEST, LARGEST), help="Control total: sum of the gross column, minor units.")
@as_json_option
def import_file_command(**asked: Any) -> None:
    """Import a payment file. Good rows are kept; bad ones are named by their line."""
    from gateway.commands.running import payments

    payments.import_file(**asked)


@files.command("save-mapping")
@click.argument("name")
@click.argument("path", type=_FILE)
@brand_option
@as_json_option
def save_mapping_command(**asked: Any) -> None:
    """Save a column mapping (JSON); a change is the next version."""
    from gateway.commands.running import payments

    payments.save_mapping(**asked)


@click.command()
@brand_option
@click.option("--cut-off", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The last business date looked at.")
@as_json_option
def reconcile(**asked: Any) -> None:
    """Match purchases, payment records and points entries of a brand up to a cut-off date."""
    from gateway.commands.running import payments

    payments.reconcile(**asked)


@breaks.command("list")
@brand_option
@click.option("--reconciliation", "reconciliation_id", help="Default: the brand's last.")
@click.option("--kind", type=click.Choice([kind.value for kind in BreakKind]))
@click.option("--limit", type=click.IntRange(1, LARGEST), help="Only so many. Default: all.")
@as_json_option
@as_csv_option
def list_breaks_command(**asked: Any) -> None:
    """List the breaks of a reconciliation."""
    from gateway.commands.running import payments

    payments.show_breaks(**asked)


COMMANDS = (files, reconcile, breaks)
