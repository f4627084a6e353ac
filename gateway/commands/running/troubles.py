"""Foreseen troubles end a command with status 1 and one line that names them, as JSON where asked for; any other is a fault of ours."""

from __future__ import annotations

import errno
import json
import re
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from gateway.values.errors import Foreseen, Refusal

Asked = ParamSpec("Asked")


def troubles_named(command: Callable[Asked, None]) -> Callable[Asked, None]:
    @wraps(command)
    def run(*args: Asked.args, **options: Asked.kwargs) -> None:
        try:
            command(*args, **options)
        except BrokenPipeError:
            raise  # whoever read has what it wanted
        except _troubles() as trouble:
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


def _troubles() -> tuple[type[Exception], ...]:
    return (Foreseen, UnicodeEncodeError, OSError, *_database_errors())


def _database_errors() -> tuple[type[Exception], ...]:
    """SQLAlchemy's, where a command has loaded it: most of a second that a command without a database does not spend."""
    loaded = sys.modules.get("sqlalchemy.exc")
    return () if loaded is None else (loaded.DBAPIError,)


def _is_of_the_output(trouble: Exception) -> bool:
    return isinstance(trouble, OSError) and trouble.filename is None


def _detail_of(trouble: Exception) -> str:
    """One line. What a database driver says may hold values of the statement: only its first line is told."""
    match trouble:
        case Refusal():
            return trouble.message
        case _ if isinstance(trouble, _database_errors()):
            said = str(getattr(trouble, "orig", trouble)).strip().split("\n")[0]
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
