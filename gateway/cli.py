"""The command line `splittally`: finds the settings, and gathers the command groups of gateway/commands."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

import click

from gateway import commands
from gateway.config import BadSettings, load_settings


def main() -> None:
    """Runs a command; returns only by leaving the process."""
    program()(prog_name="splittally")


def program() -> click.Group:
    """The whole command line. A module of gateway/commands lists what it offers in COMMANDS."""
    group = click.Group("splittally", callback=_find_settings, params=_settings_options(), help="A coalition loyalty ledger.")
    for module in pkgutil.iter_modules(commands.__path__):
        for command in getattr(import_module(f"{commands.__name__}.{module.name}"), "COMMANDS", ()):
            group.add_command(command)
    return group


def _settings_options() -> list[click.Parameter]:
    path = click.Path(path_type=Path)
    return [
        click.Option(["--config"], type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Settings in TOML."),
        click.Option(["--data-dir"], type=path, help="Where the gateway keeps its files; gateway.toml in it is read."),
    ]


def _find_settings(config: Path | None, data_dir: Path | None) -> None:
    """Settings become the context's object; commands that bring their own --config replace them."""
    try:
        click.get_current_context().obj = load_settings(config, data_dir=data_dir)
    except BadSettings as error:
        raise click.UsageError(str(error)) from error
