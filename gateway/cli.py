"""The command line `splittally`: where the settings are, and the command groups of gateway/commands. Help imports nothing heavy."""

from __future__ import annotations

import os
import pkgutil
from importlib import import_module
from pathlib import Path

import click

from gateway import commands
from gateway.commands.options import SettingsOptions


def main() -> None:
    """Runs a command; returns only by leaving the process."""
    os.umask(0o077)  # whatever is made here holds keys or what members bought
    program()(prog_name="splittally")


def program() -> click.Group:
    """The whole command line. A module of gateway/commands lists what it offers in COMMANDS."""
    group = click.Group("splittally", callback=_keep_options, params=_settings_options(), help="A coalition loyalty ledger.")
    for module in pkgutil.iter_modules(commands.__path__):
        for command in getattr(import_module(f"{commands.__name__}.{module.name}"), "COMMANDS", ()):
            group.add_command(command)
    return group


def _settings_options() -> list[click.Parameter]:
    path = click.Path(path_type=Path)
    return [
        click.Option(["--config"], type=path, help="Settings in TOML."),
        click.Option(["--data-dir"], type=path, help="Where the gateway keeps its files; gateway.toml in it is read."),
        click.Option(["--database"], metavar="URL", help="The database; put a URL with a password into a file or SPLITTALLY_DATABASE_URL."),
    ]


def _keep_options(config: Path | None, data_dir: Path | None, database: str | None) -> None:
    """The settings are read when a command is run, not for its help; commands that bring their own --config replace this one."""
    click.get_current_context().obj = SettingsOptions(config, data_dir, database)
