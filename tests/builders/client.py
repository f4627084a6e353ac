"""The generated client, made once a process from the recorded description, as a user makes it; and a way into an app without sockets."""

from __future__ import annotations

import functools
import importlib
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
from starlette.testclient import TestClient

from scripts.client.__main__ import DESCRIPTION, NAME, make


@functools.cache
def client_package() -> ModuleType:
    """The package `splittally_client`."""
    with tempfile.TemporaryDirectory() as folder:
        unpacked(json.loads(DESCRIPTION.read_bytes()), Path(folder))
        sys.path.append(folder)
        try:
            importlib.invalidate_caches()
            return importlib.import_module(NAME)
        finally:
            sys.path.remove(folder)


def unpacked(description: dict[str, Any], folder: Path) -> Path:
    """The package's folder, out of its wheel."""
    with zipfile.ZipFile(make(description, folder)) as wheel:
        wheel.extractall(folder)
    return folder / NAME


class InProcess(httpx.BaseTransport):
    """Brings requests to an app that Starlette's client serves."""

    def __init__(self, app: TestClient) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() != "content-length"]
        answer = self._app.request(request.method, str(request.url), content=request.read(), headers=headers)
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)


def in_process(app: TestClient, token: str | None) -> Any:
    """A Gateway whose calls go straight into the app."""
    return client_package().Gateway("http://localhost", token, client=httpx.Client(transport=InProcess(app)))
