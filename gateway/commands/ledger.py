"""`splittally init | serve | status | rebuild`."""

from __future__ import annotations

from typing import Any

import click

from gateway.commands.options import as_json_option, config_option


@click.command()
@click.option("--address", "address_only", is_flag=True, help="Only make the operator's key and print its address, to fund it.")
@config_option
@as_json_option
def init(**asked: Any) -> None:
    """Make the operator's key and database, deploy the contracts, and read the ledger. Safe to repeat."""
    from gateway.commands.running import ledger

    ledger.init(**asked)


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), help="Instead of the settings' port.")
@config_option
@as_json_option
def serve(**asked: Any) -> None:
    """Serve the API on loopback and work on the ledger until SIGTERM. Deploys first where nothing is deployed."""
    from gateway.commands.running import ledger

    ledger.serve(**asked)


@click.command()
@config_option
@as_json_option
def status(**asked: Any) -> None:
    """What waits, how far the projection is, and how far the node."""
    from gateway.commands.running import ledger

    ledger.status(**asked)


@click.command()
@config_option
@as_json_option
def rebuild(**asked: Any) -> None:
    """Drop the projection of the ledger and read it again from the chain. The gateway must be stopped."""
    from gateway.commands.running import ledger

    ledger.rebuild(**asked)


COMMANDS = (init, serve, status, rebuild)
