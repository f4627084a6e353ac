"""The same flows against this node, a sandbox of it, and anvil: what they do on anvil is the client's ordinary behavior."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from tests.conformance.clients.outside import Endpoint, anvil
from tests.node.running_node import RunningNode

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"  # the first of anvil's funded accounts
OWNER = Account.from_key(KEY).address


@pytest.fixture(scope="package", params=["node", "sandbox", "anvil"])
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    if request.param == "anvil":
        with anvil() as running:
            yield running
        return
    arguments = ("--operator", OWNER, *(("--sandbox",) if request.param == "sandbox" else ()))
    data: Path = tmp_path_factory.mktemp(request.param) / "data"
    with RunningNode(data, arguments) as node:
        yield Endpoint(request.param, node.url)


@pytest.fixture(params=["http", "websocket"])
def url(request: pytest.FixtureRequest, endpoint: Endpoint) -> str:
    return endpoint.url if request.param == "http" else endpoint.websocket_url
