"""`splittally brands | keys`."""

from __future__ import annotations

from typing import Any

import click

from gateway.access.api_key import Role
from gateway.commands.options import LARGEST, as_csv_option, as_json_option


@click.group()
def brands() -> None:
    """The coalition's brands."""


@click.group()
def keys() -> None:
    """API keys."""


@brands.command("list")
@as_json_option
@as_csv_option
def list_brands_command(**asked: Any) -> None:
    """Every brand with its terms and points."""
    from gateway.commands.running import brands as running

    running.show_brands(**asked)


@keys.command("list")
@as_json_option
@as_csv_option
def list_keys_command(**asked: Any) -> None:
    """Every API key, without its secret."""
    from gateway.commands.running import brands as running

    running.show_keys(**asked)


@keys.command("create")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--brand", "brand_id", type=click.IntRange(1, LARGEST), help="The brand's id, for a brand's key.")
@click.option("--label", required=True, help="What the key is for.")
@as_json_option
def create_key_command(**asked: Any) -> None:
    """Make an API key. Its token is shown this once."""
    from gateway.commands.running import brands as running

    running.make_key(**asked)


@keys.command("revoke")
@click.argument("key_id")
@as_json_option
def revoke_key_command(**asked: Any) -> None:
    """Revoke an API key: it opens nothing from now on."""
    from gateway.commands.running import brands as running

    running.end_key(**asked)


COMMANDS = (brands, keys)
