"""Which database the gateway of a run keeps its rows in, and whether it can: looked at before anything is started."""

from __future__ import annotations

import tomllib
from typing import Any

from sqlalchemy import Engine, inspect
from sqlalchemy.exc import DBAPIError

from gateway.store.engine import UnfitDatabase
from gateway.store.migrations import SchemaBehind, UnknownSchema, check_schema
from gateway.store.session import Database
from gateway.values.urls import without_secrets
from scripts.demo.data_directory import DataDirectory


def url_of_run(directory: DataDirectory, asked: str | None) -> str:
    """The database's URL: the one asked for, else that of the last run, else a file of its own. Raises UnfitDatabase."""
    own_file = f"sqlite:///{directory.gateway / 'gateway.sqlite3'}"
    settings = directory.gateway / "gateway.toml"
    begun = directory.read("run.json") is not None and settings.exists()
    kept: str | None = tomllib.loads(settings.read_text()).get("database_url", own_file) if begun else None
    url = asked or kept or own_file
    if kept not in (None, url):
        raise UnfitDatabase(
            f"The walk in {directory.root} is kept in {without_secrets(str(kept))}: leave --database out, or start anew with --fresh"
        )
    if url != own_file or (directory.gateway / "gateway.sqlite3").exists():
        _check(url, new=kept is None)
    return url


def describe(url: str) -> dict[str, Any]:
    """Its kind and the version that serves it."""
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            version = connection.dialect.server_version_info or ()
        kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[database.engine.dialect.name]
        return {"kind": kind, "version": ".".join(str(part) for part in version)}
    finally:
        database.close()


def _check(url: str, *, new: bool) -> None:
    database = Database(url)
    shown = without_secrets(url)
    try:
        _check_schema(database.engine)
        if new and inspect(database.engine).get_table_names():
            raise UnfitDatabase(f"The database {shown} holds another walk or something else: give an empty one (dropdb, createdb)")
    except DBAPIError as away:
        said = str(away.orig).strip().split("\n")[0]
        raise UnfitDatabase(f"The database {shown} cannot be used ({said}): see that it runs and that --database names it") from away
    finally:
        database.close()


def _check_schema(engine: Engine) -> None:
    """Refuses what another version left here; an older schema is brought to the newest by the gateway."""
    try:
        check_schema(engine)
    except SchemaBehind:
        return
    except UnknownSchema as unknown:
        raise UnknownSchema(f"{unknown} Start anew with --fresh, or choose another --data or --database.") from None
