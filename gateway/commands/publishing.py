"""`splittally brand publisher-key | sign-rule | publish-rule`: what a brand's purchases earn, signed by the brand itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.commands.options import as_json_option
from gateway.commands.second_people import brand, gateway_option, home_option, passphrase_option, path_option

COMMANDS = ()  # all stand in the group `brand`


@brand.command("publisher-key")
@home_option
@click.option("--passphrase-file", type=path_option, help="Encrypt the key with the passphrase in this file.")
@as_json_option
def publisher_key_command(**asked: Any) -> None:
    """Make the key that signs the brand's rules. Its address goes into the agent's settings (agent.publisher) and to the gateway; the key
    goes to neither."""
    from gateway.commands.running import second_people

    second_people.make_key_of_person(**asked)


@brand.command("sign-rule")
@click.option(
    "--settings", type=path_option, required=True, help="The agent's settings: brand, ledger and publisher; no secret is in them."
)
@click.option("--version", type=click.IntRange(1, 2**53 - 1), required=True, help="One more than the last published.")
@click.option("--points", type=click.IntRange(0, 10**9), required=True, help="So many points …")
@click.option("--per-minor", type=click.IntRange(1, 10**9), required=True, help="… for so many minor units.")
@click.option(
    "--valid-from", metavar="MOMENT", help="Not before, such as 2017-03-15T10:30:00+01:00. Default: now; in a sandbox whenever confirmed."
)
@click.option("-o", "--output", type=path_option, required=True, help="The signed version, for `publish-rule`.")
@home_option
@passphrase_option
@as_json_option
def sign_rule_command(**asked: Any) -> None:
    """As the brand's publisher, sign a version of the rule by which purchases earn. It runs on a machine without a network."""
    from gateway.commands.running import publishing

    publishing.sign_rule(**asked)


@brand.command("publish-rule")
@click.argument("signed", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@gateway_option
@click.option("--api-key-file", type=path_option, required=True, help="An API key of the brand, or the operator's.")
@as_json_option
def publish_rule_command(**asked: Any) -> None:
    """Hand a signed version to the gateway. It earns once the brand's agent has confirmed it; until then the one before does."""
    from gateway.commands.running import publishing

    publishing.publish_rule(**asked)
