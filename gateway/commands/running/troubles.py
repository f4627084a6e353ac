"""Foreseen troubles end a command with status 1 and one line that names them, as JSON where asked for; any other is a fault of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from gateway.chain.connection import NodeRefused
from gateway.config import BadSettings
from gateway.projection.batch_reading import LedgerUnreadable
from gateway.rounds.deployment import AccountInUse, WrongChain, WrongCode
from gateway.rounds.worker import AnotherWorker
from gateway.secret_files import UnsafeFile
from gateway.store.migrations import SchemaBehind, UnknownSchema
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
    UnknownSchema,
    SchemaBehind,
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
    detail = trouble.message if isinstance(trouble, Refusal) else str(trouble)
    if as_json:
        click.echo(json.dumps({"code": code, "detail": detail, "facts": facts}, indent=2, ensure_ascii=False))
    else:
        click.echo(f"refused ({code}): {detail}", err=True)


def _code_of(trouble: Exception) -> str:
    """AnotherWorker is another_worker."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(trouble).__name__).lower()
