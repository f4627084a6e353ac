"""What people other than the operator do: `splittally owner-key | acts | approve | execute | veto | cancel | pause | unpause |
propose-operator | hand-over | brand`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gateway.commands.options import LARGEST, as_json_option, brand_option

Command = Callable[..., None]
path_option = click.Path(path_type=Path)
moment_option = click.IntRange(0, 2**40 - 1)
home_option = click.option("--home", type=path_option, required=True, help="This person's own directory: its key and what it has seen.")
passphrase_option = click.option("--passphrase-file", type=path_option, help="The passphrase, where the key is encrypted.")
gateway_option = click.option("--gateway", "gateway_url", metavar="URL", required=True, help="The gateway's API.")
api_key_option = click.option("--api-key-file", type=path_option, required=True, help="The API key to read with; any role does.")
rpc_option = click.option(
    "--rpc", "rpc_url", metavar="URL", required=True, help="A node of your own choice, not the operator's: what holds is read there."
)


def _asking(command: Command) -> Command:
    """The options of whoever asks the gateway and checks its answers."""
    for option in (as_json_option, rpc_option, api_key_option, gateway_option, passphrase_option, home_option):
        command = option(command)
    return command


@click.group("owner-key")
def owner_key() -> None:
    """Keys of brands' owners, approvers and the guardian: made and kept away from the operator."""


@owner_key.command("new")
@home_option
@click.option("--passphrase-file", type=path_option, help="Encrypt the key with the passphrase in this file.")
@as_json_option
def new_command(**asked: Any) -> None:
    """Make a key. Its address is printed, to be told to the operator; the key is not."""
    from gateway.commands.running import second_people

    second_people.make_key_of_person(**asked)


@owner_key.command("address")
@home_option
@passphrase_option
@as_json_option
def address_command(**asked: Any) -> None:
    """The address of the key."""
    from gateway.commands.running import second_people

    second_people.show_address(**asked)


@click.command()
@_asking
def acts(**asked: Any) -> None:
    """Acts that wait: checked, in plain words, with what they would change, and from when on you may approve them. What stands on the chain
    and the gateway does not show is named."""
    from gateway.commands.running import second_people

    second_people.show_acts(**asked)


@click.command()
@click.argument("acts", nargs=-1, required=True)
@click.option("--asked-directly", is_flag=True, help="You have asked the brands concerned, not by way of the operator.")
@click.option("--good-for-days", type=click.IntRange(1, 30), default=7, show_default=True, help="How long the approval counts.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Keep the approval in a file too, for `execute`.")
@click.option(
    "--checklist",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your answers to the admission criteria, for each registration among the acts. Default: you are asked.",
)
@click.option("--no-criteria", is_flag=True, help="You signed by admission criteria before, and know that the coalition has ended them.")
@_asking
def approve(**asked: Any) -> None:
    """Check acts (by operation, id, or a file) by yourself and sign their execution, once their delay has passed by your clock. Of several
    named together all are checked first, and none is signed unless all can be. With the registration of a brand you sign what you say of
    each of the coalition's admission criteria (`splittally admission show`)."""
    from gateway.commands.running import second_people

    second_people.approve(**asked)


@click.command()
@click.argument("approvals", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_asking
def execute(**asked: Any) -> None:
    """Execute an act by its approvals (files of `approve -o`), where the gateway does not. From your own account, which needs ether."""
    from gateway.commands.running import executing

    executing.execute_act(**asked)


@click.command()
@click.argument("act")
@click.option(
    "--own-account",
    "sends_itself",
    is_flag=True,
    help="Send it to the node from your own account, which needs ether: no gateway keeps it back.",
)
@_asking
def veto(**asked: Any) -> None:
    """As a brand's owner, stop the act that would replace you, by its operation or its own id. The gateway relays it, or you do."""
    from gateway.commands.running import second_people

    second_people.veto(**asked)


@click.command("cancel")
@click.argument("act")
@_asking
def stop_command(**asked: Any) -> None:
    """As the guardian, stop an act that waits, by its operation or its own id, for good. Sent to the node from your own account."""
    from gateway.commands.running import guardian

    guardian.stop_act(**asked)


@click.command()
@_asking
def pause(**asked: Any) -> None:
    """As the guardian, stop all batches for 72 hours: once, until governance re-arms it."""
    from gateway.commands.running import guardian

    guardian.pause_batches(**asked)


@click.command()
@_asking
def unpause(**asked: Any) -> None:
    """As the guardian, let batches go on before the 72 hours are over."""
    from gateway.commands.running import guardian

    guardian.resume_batches(**asked)


@click.command("propose-operator")
@click.argument("account", metavar="ADDRESS")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The act, for the approvers.")
@_asking
def propose_operator(**asked: Any) -> None:
    """As the guardian, propose another operator: it waits three delays and needs the approvals of any act."""
    from gateway.commands.running import guardian

    guardian.propose_operator(**asked)


@click.group("hand-over")
def hand_over() -> None:
    """Give a brand to another owner: both sign, whoever relays it."""


@hand_over.command("offer")
@brand_option
@click.option("--to", "successor", metavar="ADDRESS", required=True, help="The new owner's address.")
@click.option(
    "--succession/--another-key",
    "is_succession",
    required=True,
    help="The brand issues no more, for good; or only its owner's key changes.",
)
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="How long the offer stands.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: print it.")
@_asking
def offer_command(**asked: Any) -> None:
    """As the owner, sign that the brand goes to another."""
    from gateway.commands.running import owners

    owners.offer_brand(**asked)


@hand_over.command("accept")
@click.argument("offer", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_asking
def accept_command(**asked: Any) -> None:
    """As the new owner, check an offer, sign it too, and send both signatures."""
    from gateway.commands.running import owners

    owners.accept_brand(**asked)


@click.group()
def brand() -> None:
    """What a brand's owner says of the brand."""


@brand.command("publish")
@brand_option
@click.option("--batch-key", "batch_keys", metavar="ADDRESS", multiple=True, help="A key that signs the brand's batches; repeatable.")
@click.option("--agent", "agent_address", metavar="ADDRESS", required=True, help="The key of the brand's own signer.")
@click.option("--api-key", "api_keys", metavar="KEY", multiple=True, help="The id of an API key of the brand's; repeatable.")
@click.option(
    "--anchor",
    "is_anchored",
    is_flag=True,
    help="Anchor it on the chain from your own account, which needs ether: the audit misses it where it is thrown away.",
)
@_asking
def publish_command(**asked: Any) -> None:
    """Sign and publish which keys act in the brand's name: the audit names every other one."""
    from gateway.commands.running import owners

    owners.publish_document_of_brand(**asked)


@brand.command("accept")
@brand_option
@click.option("--issuer", "issuers", type=click.IntRange(1, LARGEST), multiple=True, required=True, help="Whose points; repeatable.")
@click.option("--most", type=click.IntRange(0, LARGEST), required=True, help="How many of them the brand lets itself be owed.")
@_asking
def accept_points_command(**asked: Any) -> None:
    """Sign how many of another brand's points this one takes: it takes none of which nothing was said."""
    from gateway.commands.running import owners

    owners.accept_points(**asked)


@brand.command("key")
@brand_option
@click.option("--key", metavar="ADDRESS", required=True, help="The batch key's address.")
@click.option("--from", "valid_from", type=moment_option, default=0, help="Unix seconds from which it signs. Default: at once.")
@click.option("--until", "valid_until", type=moment_option, help="Unix seconds until which it signs. Default: for good.")
@click.option("--withdraw", is_flag=True, help="It signs no more, from now on.")
@click.option("--managed", is_flag=True, help="The operator holds it on the brand's behalf.")
@_asking
def batch_key_command(**asked: Any) -> None:
    """As the owner, sign which key signs the brand's batches: add one, or withdraw one that is old or lost."""
    from gateway.commands.running import owners

    owners.set_batch_key(**asked)


@brand.command("terms")
@brand_option
@click.option("--par", metavar="MINOR/POINTS", required=True, help="What the brand pays others for its points, such as 1/1.")
@click.option("--redemption", metavar="MINOR/POINTS", required=True, help="The least discount that it gives for points, such as 4/5.")
@click.option("--fee-basis-points", type=click.IntRange(0, 10_000), required=True, help="What it keeps of what it pays.")
@click.option("--run-off-days", type=click.IntRange(0, 3_650), required=True, help="How long its points stay good when it leaves.")
@click.option("--notice-days", type=click.IntRange(0, 3_650), required=True, help="After how many days worse terms hold.")
@_asking
def terms_command(**asked: Any) -> None:
    """As the owner, sign the brand's terms, all of them: what gets worse waits for the notice."""
    from gateway.commands.running import owners

    owners.set_terms(**asked)


COMMANDS = (owner_key, acts, approve, execute, veto, stop_command, pause, unpause, propose_operator, hand_over, brand)
