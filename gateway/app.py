"""The gateway's composition root: routers, error answers, bounds, the ledger worker's life. Importing it does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from gateway.access.operator_api_key import ensure_operator_api_key
from gateway.api import (
    admission,
    api_keys,
    audit,
    authorizations,
    brand_documents,
    brand_exposure,
    brand_rules,
    brand_settings,
    brand_signers,
    brand_successions,
    brands,
    checkpoints,
    clearing,
    coalition,
    column_mappings,
    expiry_runs,
    governance,
    governors,
    health,
    member_acts,
    members,
    opening_files,
    operations,
    payment_files,
    payment_refunds,
    problems,
    purchases,
    quotes,
    receipts,
    reconciliations,
    transfers,
)
from gateway.api.context import Context, Worker
from gateway.api.description import describe
from gateway.api.door.backlog import Backlog
from gateway.api.door.entrance import Door
from gateway.api.limits import REQUEST_THREADS, DoorSettings
from gateway.api.routing import RoutesByPlace
from gateway.api.standing_acts import standing_acts
from gateway.brands.http_signer import HttpSigner
from gateway.brands.signers import SqlSignersDirectory
from gateway.chain.connection import Chain
from gateway.config import Settings
from gateway.portal import api_reference, landing, member
from gateway.purchases.shortfalls import SqlShortfalls
from gateway.rounds.completion import Completions
from gateway.rounds.signer_port import SignerClient
from gateway.rounds.worker import LedgerWorker
from gateway.secret_files import make_private_folder
from gateway.store.migrations import migrate
from gateway.store.session import Database

ROUTERS: tuple[APIRouter, ...] = (
    coalition.router,
    brands.router,
    brand_exposure.router,
    brand_rules.router,
    brand_settings.router,
    brand_signers.router,
    brand_successions.router,
    brand_documents.router,
    governance.router,
    admission.router,
    governors.router,
    checkpoints.router,
    api_keys.router,
    members.router,
    member_acts.router,
    purchases.router,
    opening_files.router,
    payment_refunds.router,
    quotes.router,
    authorizations.router,
    transfers.router,
    operations.router,
    expiry_runs.router,
    clearing.router,
    column_mappings.router,
    payment_files.router,
    reconciliations.router,
    receipts.router,
    audit.router,
    health.router,
    member.router,
    api_reference.router,
    landing.router,
)
PROBE_SECONDS = 3.0  # a caller waits for a signer that is tried out


def prepare(settings: Settings) -> None:
    """What is done once, before anything serves: settings' files looked at, database migrated, operator's API key made."""
    settings.signer_authorities()
    make_private_folder(settings.data_dir)
    database = Database(settings.database_url)
    try:
        migrate(database.engine)
        ensure_operator_api_key(database, settings.operator_api_key_file)
    finally:
        database.close()


def build_api(settings: Settings, completions: Completions, worker: Worker) -> FastAPI:
    """What answers requests, as the settings say; the worker starts and stops with the app."""
    database = Database(settings.database_url)
    chain = Chain(settings.rpc_url, settings.rpc_timeout_seconds)
    signers = HttpSigner(PROBE_SECONDS, settings.signer_addresses, settings.signer_authorities())
    door = DoorSettings(
        hosts=frozenset({*DoorSettings().hosts, settings.host, *settings.allowed_hosts}),
        requests_per_second=settings.requests_per_second,
        backlog=settings.backlog_operations,
        spool=settings.data_dir,
    )
    return create_app(Context(database, completions, worker, chain, signers=signers), door)


def make_worker(
    database: Database, chain: Chain, completions: Completions, settings: Settings, signer: SignerClient | None = None
) -> LedgerWorker:
    """The ledger worker with the features that rounds ask and tell."""
    signer = signer or HttpSigner(settings.signer_timeout_seconds, settings.signer_addresses, settings.signer_authorities())
    return LedgerWorker(
        database,
        chain,
        completions,
        settings,
        signers=SqlSignersDirectory(),
        ends=SqlShortfalls(),
        standing=standing_acts(),
        signer=signer,
    )


def create_app(context: Context, door: DoorSettings | None = None) -> FastAPI:
    """The gateway over an open database. With a worker in the context, it runs while the app does."""
    app = FastAPI(
        title="Splittally",
        version="1",
        summary="A coalition loyalty ledger: points of many brands, provable and reconciled.",
        lifespan=_life_of(context),
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    app.state.described = {}  # portal/api_reference.py keeps there what it has made
    door = door or DoorSettings()
    app.add_middleware(Door, context.keys, Backlog(door.backlog, context.count_waiting), door)
    problems.install(app)
    landing.install(app)
    app.router.routes.append(RoutesByPlace(_routes()))
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _routes() -> list[BaseRoute]:
    return [route for router in ROUTERS for route in router.routes]


def _life_of(context: Context) -> Any:
    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = REQUEST_THREADS
        if context.worker is not None:
            await anyio.to_thread.run_sync(context.worker.start)
        try:
            yield
        finally:
            if context.worker is not None:
                await anyio.to_thread.run_sync(context.worker.stop)
            await anyio.to_thread.run_sync(context.close)

    return life


def _described(app: FastAPI) -> dict[str, Any]:
    """The API's description, with the schema of problem details that every route's answers point to."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=[route for router in ROUTERS for route in router.routes]
        )
        schema["components"]["schemas"]["Problem"] = problems.Problem.model_json_schema()
        describe(schema)
        app.openapi_schema = schema
    return app.openapi_schema
