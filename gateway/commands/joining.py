"""`splittally brand init | check`: a brand joins the coalition, and sees what is still missing."""

from __future__ import annotations

from typing import Any

import click

from gateway.commands.options import LARGEST, as_json_option
from gateway.commands.second_people import brand, gateway_option, path_option, rpc_option

directory_option = click.option("--dir", "directory", type=path_option, required=True, help="The brand's directory, for its owner alone.")
trial_option = click.option(
    "--test-purchase",
    "member",
    is_flag=False,
    flag_value="own",
    metavar="[MEMBER]",
    help="Sell something that earns one point, and wait for it: to this member, or to one of the brand's own that is made for it.",
)
COMMANDS = ()  # both stand in the group `brand`


@brand.command("init")
@directory_option
@gateway_option
@click.option("--api-key-file", type=path_option, required=True, help="Any API key; the operator's registers the brand at once.")
@rpc_option
@click.option("--gateway-ca", type=path_option, help="The authority of the gateway's certificate (PEM), where it is no public one.")
@click.option("--name", required=True, help="The brand's name, as others read it.")
@click.option("--brand-id", type=click.IntRange(1, 2**31 - 1), required=True, help="One that no brand has; the operator gives it out.")
@click.option("--listen", metavar="HOST:PORT", default="127.0.0.1:8700", show_default=True, help="Where its agent listens.")
@click.option("--signer-url", metavar="URL", help="Where the gateway reaches the agent. Default: where it listens.")
@click.option("--tls-certificate", type=path_option, help="Its TLS certificate (PEM), by which it may listen beyond its own machine.")
@click.option("--tls-key", type=path_option, help="The certificate's key: for the agent alone, of mode 600.")
@click.option("--points", type=click.IntRange(0, 10**9), required=True, help="So many points …")
@click.option("--per-minor", type=click.IntRange(1, 10**9), default=100, show_default=True, help="… for so many minor units.")
@click.option("--earn-on-tax", is_flag=True, help="Tax earns, too.")
@click.option(
    "--lot-validity-months", type=click.IntRange(0, 120), default=12, show_default=True, help="How long points are good; 0 = for ever."
)
@click.option("--issue-limit", type=click.IntRange(0, LARGEST), default=1_000_000, show_default=True, help="The most outstanding points.")
@click.option("--par", metavar="MINOR/POINTS", default="1/1", show_default=True, help="What the brand pays others for its points.")
@click.option("--redemption", metavar="MINOR/POINTS", default="1/1", show_default=True, help="The least discount that it gives for points.")
@click.option("--fee-basis-points", type=click.IntRange(0, 10_000), default=0, show_default=True, help="What it keeps of what it pays.")
@click.option(
    "--run-off-days", type=click.IntRange(0, 3_650), default=90, show_default=True, help="How long its points stay good when it leaves."
)
@click.option("--notice-days", type=click.IntRange(0, 3_650), default=30, show_default=True, help="After how many days worse terms hold.")
@click.option("--owner", metavar="ADDRESS", help="The owner's address, where its key is elsewhere. Default: a key is made here.")
@click.option("--managed", is_flag=True, help="The operator runs the agent and holds the batch key for the brand; the ledger says so.")
@click.option("--key-credential", metavar="NAME", help="The system hands the batch key to the agent's service under this name.")
@click.option("--publisher", metavar="ADDRESS", help="The key that signs its rules, where it is elsewhere. Default: a key is made here.")
@click.option(
    "--wait",
    type=click.IntRange(0, 30 * 86_400),
    metavar="SECONDS",
    help="So long at most, until the approvers have signed and the agent runs; then try both ways and make the test purchase.",
)
@trial_option
@as_json_option
def init_command(**asked: Any) -> None:
    """Make a brand's keys, tokens and its agent's settings, and register it or write down what the operator must post.

    Of the keys nothing but addresses leaves the directory. The same command may be repeated. With --wait it goes on
    to the test purchase, and ends with 1 where that was not made; it starts no agent.
    """
    from gateway.commands.running import joining

    joining.join(**asked)


@brand.command("check")
@directory_option
@gateway_option
@click.option("--api-key-file", type=path_option, help="The brand's API key. Default: agent/gateway_key in the directory.")
@rpc_option
@trial_option
@as_json_option
def check_command(**asked: Any) -> None:
    """Say what a brand still lacks: settings, agent, gateway, ledger, both ways between them. Ends with 1 while anything is."""
    from gateway.commands.running import brand_check

    brand_check.check_brand(**asked)
