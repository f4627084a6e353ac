"""What commands share: the settings they were given, and the database and the node of these, closed when the command ends."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.chain.connection import Chain
from gateway.commands.options import SettingsOptions
from gateway.config import Settings, load_settings
from gateway.store.engine import parse_url
from gateway.store.migrations import check_schema
from gateway.store.session import Database
from gateway.values.errors import Unavailable


def settings_of_command(config: Path | None = None) -> Settings:
    """The settings that the command line names, `config` before the group's file. Raises BadSettings."""
    context = click.get_current_context()
    options = context.find_object(SettingsOptions) or SettingsOptions()
    found = context.find_object(Settings)
    return found or load_settings(config or options.config, data_dir=options.data_dir, database_url=options.database_url)


def open_database(config: Path | None = None) -> Database:
    """Opened only if it is there and its schema is the newest. Raises Unavailable or UnfitDatabase."""
    settings = settings_of_command(config)
    url = parse_url(settings.database_url)
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file and not Path(file).exists():
        raise Unavailable(f"there is no database {file}: run `splittally init`, or name where it is with --data-dir or --database")
    database = Database(settings.database_url)
    click.get_current_context().call_on_close(database.close)
    check_schema(database.engine)
    return database


def open_chain() -> Chain:
    """The node is asked only when something of it is needed."""
    settings = settings_of_command()
    chain = Chain(settings.rpc_url, settings.rpc_timeout_seconds)
    click.get_current_context().call_on_close(chain.close)
    return chain
