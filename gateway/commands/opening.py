"""What commands share: the database of the settings they were given, opened only if its schema is the newest; and how refusals end them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import click

from gateway.chain.connection import Chain
from gateway.config import Settings, load_settings
from gateway.store.migrations import SchemaBehind, UnknownSchema, check_schema
from gateway.store.session import Database
from gateway.values.errors import Refusal

Asked = ParamSpec("Asked")
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def open_database() -> Database:
    """Closed when the command ends. Raises UnknownSchema or SchemaBehind."""
    database = Database(_settings().database_url)
    click.get_current_context().call_on_close(database.close)
    check_schema(database.engine)
    return database


def open_chain() -> Chain:
    """Closed when the command ends; the node is asked only when something of it is needed."""
    settings = _settings()
    chain = Chain(settings.rpc_url, settings.rpc_timeout_seconds)
    click.get_current_context().call_on_close(chain.close)
    return chain


def refusals_named(command: Callable[Asked, None]) -> Callable[Asked, None]:
    """A refusal ends the command with status 1 and says its code, as JSON where asked for."""

    @wraps(command)
    def run(*args: Asked.args, **options: Asked.kwargs) -> None:
        as_json = bool(options.get("as_json"))
        try:
            command(*args, **options)
        except Refusal as refusal:
            _end(refusal.code, refusal.message, refusal.facts, as_json)
        except UnknownSchema as unknown:
            _end("unknown_schema", str(unknown), {}, as_json)
        except SchemaBehind as behind:
            _end("schema_behind", str(behind), {}, as_json)

    return run


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _settings() -> Settings:
    return click.get_current_context().find_object(Settings) or load_settings()


def _end(code: str, detail: str, facts: dict[str, object], as_json: bool) -> NoReturn:
    if as_json:
        print_json({"code": code, "detail": detail, "facts": facts})
    else:
        click.echo(f"refused ({code}): {detail}", err=True)
    raise SystemExit(1)
