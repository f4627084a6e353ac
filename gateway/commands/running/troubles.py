"""Foreseen troubles end a command with status 1 and one line that names them, as JSON where asked for; any other is a fault of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click
from sqlalchemy.exc import ArgumentError, OperationalError

from gateway.chain.connection import NodeRefused
from gateway.commands.running.listening import AddressTaken
from gateway.config import BadSettings
from gateway.projection.batch_reading import LedgerUnreadable
from gateway.rounds.deployment import AccountInUse, WrongChain, WrongCode
from gateway.rounds.worker import AnotherWorker
from gateway.secret_files import UnsafeFile
from gateway.store.engine import UnfitDatabase
from gateway.values.errors import Refusal

_TROUBLES = (
    Refusal,
    NodeRefused,
    BadSettings,
    WrongChain,
    WrongCode,
    AccountInUse,
    UnsafeFile,
    AnotherWorker,
    LedgerUnreadable,
    UnfitDatabase,
    AddressTaken,
    OperationalError,
    ArgumentError,
    FileNotFoundError,
    FileExistsError,
    NotADirectoryError,
    IsADirectoryError,
    PermissionError,
)
Asked = ParamSpec("Asked")


def troubles_named(command: Callable[Asked, None]) -> Callable[Asked, None]:
    @wraps(command)
    def run(*args: Asked.args, **options: Asked.kwargs) -> None:
        try:
            command(*args, **options)
        except _TROUBLES as trouble:
            _tell(trouble, as_json=bool(options.get("as_json")))
            raise SystemExit(1) from trouble

    return run


def _tell(trouble: Exception, *, as_json: bool) -> None:
    code, facts = (trouble.code, trouble.facts) if isinstance(trouble, Refusal) else (_code_of(trouble), {})
    detail = _detail_of(trouble)
    if as_json:
        click.echo(json.dumps({"code": code, "detail": detail, "facts": facts}, indent=2, ensure_ascii=False))
    else:
        click.echo(f"refused ({code}): {detail}", err=True)


def _detail_of(trouble: Exception) -> str:
    """One line. What a database driver says may hold values of the statement: only its first line is told."""
    match trouble:
        case Refusal():
            return trouble.message
        case OperationalError():
            said = str(trouble.orig).strip().split("\n")[0]
            return f"the database cannot be used ({said}): see that it runs and that --data-dir or --database names it"
        case ArgumentError():
            return (
                "the database's URL cannot be used: see that --database or database_url is sqlite:///… or postgresql://USER@HOST/DATABASE"
            )
        case OSError():
            return f"{trouble.filename}: {trouble.strerror}: name another place, or let this user use it"
    return str(trouble)


def _code_of(trouble: Exception) -> str:
    """AnotherWorker is another_worker."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(trouble).__name__).lower()
