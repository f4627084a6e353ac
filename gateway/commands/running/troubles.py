"""Foreseen troubles end a command with status 1 and one line that names them, as JSON where asked for; any other is a fault of ours."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click
from sqlalchemy.exc import DBAPIError

from gateway.chain.connection import NodeRefused
from gateway.commands.running.listening import AddressTaken
from gateway.config import BadSettings
from gateway.projection.batch_reading import LedgerUnreadable
from gateway.rounds.contract_ties import WrongCode
from gateway.rounds.deployment import AccountInUse, WrongChain
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
    DBAPIError,
    UnicodeEncodeError,
    OSError,
)
Asked = ParamSpec("Asked")


def troubles_named(command: Callable[Asked, None]) -> Callable[Asked, None]:
    @wraps(command)
    def run(*args: Asked.args, **options: Asked.kwargs) -> None:
        try:
            command(*args, **options)
        except BrokenPipeError:
            raise  # whoever read has what it wanted
        except _TROUBLES as trouble:
            _tell(trouble, as_json=bool(options.get("as_json")))
            raise SystemExit(1) from trouble

    return run


def _tell(trouble: Exception, *, as_json: bool) -> None:
    code, facts = (trouble.code, trouble.facts) if isinstance(trouble, Refusal) else (_code_of(trouble), {})
    detail = _detail_of(trouble)
    if as_json and not _is_of_the_output(trouble):
        click.echo(json.dumps({"code": code, "detail": detail, "facts": facts}, indent=2, ensure_ascii=False))
    else:
        click.echo(f"refused ({code}): {detail}", err=True)


def _is_of_the_output(trouble: Exception) -> bool:
    return isinstance(trouble, OSError) and trouble.filename is None


def _detail_of(trouble: Exception) -> str:
    """One line. What a database driver says may hold values of the statement: only its first line is told."""
    match trouble:
        case Refusal():
            return trouble.message
        case DBAPIError():
            said = str(trouble.orig).strip().split("\n")[0]
            return f"the database cannot be used ({said}): see that it runs and that --data-dir or --database names it"
        case UnicodeEncodeError():
            return "a text that was given is not UTF-8: give it in that encoding"
        case OSError():
            remedy = "make room" if trouble.errno == errno.ENOSPC else "name another place, or let this user use it"
            return f"{trouble.filename or 'what is printed'}: {trouble.strerror}: {remedy}"
    return str(trouble)


def _code_of(trouble: Exception) -> str:
    """AnotherWorker is another_worker."""
    if _is_of_the_output(trouble):
        return "output_failed"
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(trouble).__name__).lower()
