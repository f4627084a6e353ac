"""`splittally audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.commands.options import LARGEST, as_json_option


@click.command("audit")
@click.option("--invariant", "numbers", type=click.IntRange(1, LARGEST), multiple=True, help="Its number; repeatable. Default: all.")
@click.option(
    "--brand-documents",
    "documents",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with what brands published of their keys, kept by yourself, as .json files.",
)
@as_json_option
def audit_command(**asked: Any) -> None:
    """Check the ledger, the projection and the records against the numbered invariants."""
    from gateway.commands.running import audit

    audit.audit_invariants(**asked)


COMMANDS = (audit_command,)
