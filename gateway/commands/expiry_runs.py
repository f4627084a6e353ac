"""`splittally expiry-runs list | show`."""

from __future__ import annotations

from typing import Any

import click

from gateway.commands.options import LARGEST, as_csv_option, as_json_option, brand_option


@click.group("expiry-runs")
def expiry_runs() -> None:
    """What each day let expire; the worker runs it by itself."""


@expiry_runs.command("list")
@click.option("--brand", "brand_id", type=click.IntRange(1, LARGEST), help="Of this brand only.")
@click.option("--limit", type=click.IntRange(1, LARGEST), default=50, show_default=True, help="How many, the newest day first.")
@as_json_option
@as_csv_option
def list_command(**asked: Any) -> None:
    """List the runs with their points and operations."""
    from gateway.commands.running import expiry_runs as running

    running.show_runs(**asked)


@expiry_runs.command("show")
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@brand_option
@as_json_option
@as_csv_option
def show_command(**asked: Any) -> None:
    """Show a brand's run of a day with each of its operations: a member's points in a lot."""
    from gateway.commands.running import expiry_runs as running

    running.show_run(**asked)


COMMANDS = (expiry_runs,)
