"""`splittally admission show | set`: what a brand must meet before it is let in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.commands.options import LARGEST, as_json_option


@click.group()
def admission() -> None:
    """The coalition's admission criteria, which each approver of a brand's registration signs for."""


@admission.command("show")
@click.option("--gateway", "gateway_url", metavar="URL", required=True, help="The gateway's API; no key is needed.")
@click.option("--version", type=click.IntRange(1, LARGEST), help="An earlier version. Default: the one in force.")
@as_json_option
def show_command(**asked: Any) -> None:
    """The criteria in force, with their version."""
    from gateway.commands.running import admission as running

    running.show_criteria(**asked)


@admission.command("set")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json_option
def set_command(**asked: Any) -> None:
    """As the operator, set the criteria of a JSON file, [{"name": "…", "text": "…"}, …]: the next version. An empty list asks for none."""
    from gateway.commands.running import admission as running

    running.set_criteria_of_file(**asked)


COMMANDS = (admission,)
