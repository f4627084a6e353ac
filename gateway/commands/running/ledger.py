"""`splittally init | serve | status | rebuild`: the gateway's own life and its projection of the ledger."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from gateway.access.operator_api_key import ensure_operator_api_key
from gateway.app import make_worker, prepare
from gateway.chain.connection import Chain
from gateway.chain.operator_key import create_key_file, load_account
from gateway.coalition.rows import find_coalition
from gateway.coalition.views import find_deployment, find_head
from gateway.commands.running.listening import listening_socket, url_of
from gateway.commands.running.log_lines import log_to
from gateway.commands.running.opening import open_database, settings_of_command
from gateway.commands.running.troubles import troubles_named
from gateway.config import Settings
from gateway.projection.views import count_projected
from gateway.rounds.completion import Completions
from gateway.rounds.views import count_work
from gateway.rounds.worker import LedgerWorker
from gateway.secret_files import make_private_folder
from gateway.serving.serve import serve as serve_family
from gateway.store.migrations import migrate
from gateway.store.session import Database
from gateway.values.errors import Refusal


@troubles_named
def init(config: Path | None, as_json: bool, address_only: bool) -> None:
    settings = settings_of_command(config)
    create_key_file(settings.operator_key_file)
    address = load_account(settings.operator_key_file).address.lower()
    if address_only:
        _print({"operator": address}, as_json, address)
        return
    with _opened(settings) as (database, _worker):
        ensure_operator_api_key(database, settings.operator_api_key_file)
        with database.read() as session:
            facts = {"operator": address, **asdict(find_deployment(session))}
    _print(facts, as_json, "\n".join(f"{name:24} {value}" for name, value in facts.items()))


@troubles_named
def serve(config: Path | None, as_json: bool, port: int | None) -> None:
    settings = settings_of_command(config)
    log_to(sys.stderr)
    create_key_file(settings.operator_key_file)
    load_account(settings.operator_key_file)
    with listening_socket(settings.host, settings.port if port is None else port) as listening:
        prepare(settings)
        url = url_of(listening)
        _print({"url": url}, as_json, f"Splittally on {url} (API: /docs)")
        serve_family(settings, listening)


@troubles_named
def status(config: Path | None, as_json: bool) -> None:
    settings = settings_of_command(config)
    database = open_database(config)
    with database.read() as session:
        counts = count_work(session)
        head, coalition = find_head(session), find_coalition(session)
        blocks_and_entries = count_projected(session)
    facts: dict[str, Any] = {
        "sandbox": None if coalition is None else coalition.sandbox,
        "operations": counts.operations,
        "batches": counts.batches,
        "transactions": counts.transactions,
        "projected_block": head.block_number if head else None,
        "projected_time": head.timestamp if head else None,
        "entries": blocks_and_entries[1],
        "node_block": _node_block(settings),
    }
    _print(facts, as_json, "\n".join(f"{name:16} {value}" for name, value in facts.items()))


@troubles_named
def rebuild(config: Path | None, as_json: bool) -> None:
    settings = settings_of_command(config)
    began = time.monotonic()
    with _opened(settings) as (database, worker):
        worker.follower.rebuild()
        with database.read() as session:
            blocks, entries = count_projected(session)
    facts = {"blocks": blocks, "entries": entries, "seconds": round(time.monotonic() - began, 2)}
    _print(facts, as_json, f"{blocks} blocks and {entries} entries read in {facts['seconds']} s")


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Database, LedgerWorker]]:
    """The database and an open worker, which holds the data directory's lock."""
    make_private_folder(settings.data_dir)
    database = Database(settings.database_url)
    migrate(database.engine)
    chain = Chain(settings.rpc_url, settings.rpc_timeout_seconds)
    worker = make_worker(database, chain, Completions(), settings)
    try:
        worker.open()
        yield database, worker
    finally:
        worker.close()
        chain.close()
        database.close()


def _node_block(settings: Settings) -> int | None:
    chain = Chain(settings.rpc_url, settings.rpc_timeout_seconds)
    try:
        return chain.head_number()
    except Refusal:
        return None
    finally:
        chain.close()


def _print(facts: Any, as_json: bool, text: str, error: bool = False) -> None:
    click.echo(json.dumps(facts) if as_json else text, err=error and not as_json)
