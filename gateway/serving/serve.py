"""`splittally serve`: what is done once is done here, then the family is forked and each member opens what it needs."""

from __future__ import annotations

import gc
import socket
import sys
from functools import partial

import uvicorn

from gateway.api.door.connections import server_config
from gateway.app import build_api
from gateway.config import Settings
from gateway.rounds.completion import Completions
from gateway.serving.bells import Bell
from gateway.serving.family import Family
from gateway.serving.worker_process import STATE_FILE, DistantWorker, run_worker

_SWITCH_SECONDS = 0.001  # threads that work on requests let the one that answers connections in so often
_YOUNG_OBJECTS = 50_000  # between two collections: a bulk write makes tens of thousands that all die with it


def serve(settings: Settings, listening: socket.socket) -> None:
    """Until SIGTERM or SIGINT. `prepare` was called."""
    (settings.data_dir / STATE_FILE).unlink(missing_ok=True)
    work_to_do = Bell()
    changed = [Bell() for _ in range(settings.api_processes)]
    mains = {"ledger worker": partial(run_worker, settings, work_to_do, changed)}
    for number, bell in enumerate(changed, start=1):
        mains[f"API, {number}"] = partial(_run_api, settings, listening, work_to_do, bell)
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    gc.collect()
    gc.freeze()  # what is loaded stays, and stays shared
    Family(mains).run()


def _run_api(settings: Settings, listening: socket.socket, work_to_do: Bell, changed: Bell) -> None:
    sys.setswitchinterval(_SWITCH_SECONDS)
    completions = Completions()
    app = build_api(settings, completions, DistantWorker(work_to_do, settings.data_dir))
    changed.listen(completions.notify)
    uvicorn.Server(server_config(app, settings.connections_max)).run(sockets=[listening])
