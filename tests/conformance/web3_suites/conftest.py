"""The fixtures web3.py's suites ask for by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from eth_utils import to_bytes
from eth_utils.toolz import identity
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3._utils.module_testing.utils import RequestMocker

from tests.conformance.web3_suites.not_applicable import NEEDS_A_WAIT, reason_not_applicable
from tests.conformance.web3_suites.world import ACCOUNT, CONTRACTS, ENGINE, World, world


@pytest.fixture(scope="module")
def suite_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A module that says BLOCK_SECONDS has its blocks at that pace."""
    block_seconds = getattr(request.module, "BLOCK_SECONDS", None)
    with world(tmp_path_factory.mktemp("web3") / "data", block_seconds) as built:
        yield built


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items if ENGINE is None else []:
        if not isinstance(item, pytest.Function) or item.cls is None or "web3_suites" not in item.nodeid:
            continue
        found = reason_not_applicable(item.cls.__name__, item.name)
        if found is not None:
            item.add_marker(pytest.mark.xfail(reason=found[0], strict=found[1]))
        if not hasattr(item.module, "BLOCK_SECONDS") and any(word in item.originalname for word in NEEDS_A_WAIT):
            item.add_marker(pytest.mark.skip(reason="needs transactions that wait: runs where a block comes every second"))


@pytest.fixture(autouse=True)
def _settled(request: pytest.FixtureRequest, suite_world: World) -> None:
    """A test begins when the one before it has left nothing waiting: the suites take the latest nonce for the next."""
    node = suite_world.node
    while node.call("txpool_status")["pending"] != "0x0":
        pass
    if "filter" in request.node.name:
        node.call("evm_mine")  # an empty head: a filter's logs are the head's unless it names blocks
    if hasattr(request.module, "BLOCK_SECONDS") and any(word in request.node.name for word in NEEDS_A_WAIT):
        head = node.call("eth_blockNumber")
        while node.call("eth_blockNumber") == head:
            pass


@pytest.fixture
def w3(suite_world: World) -> Iterator[Web3]:
    client = Web3(HTTPProvider(suite_world.node.url, request_kwargs={"timeout": 10}))
    yield client
    for session in client.provider._request_session_manager.session_cache._data.values():  # type: ignore[attr-defined]
        session.close()


@pytest_asyncio.fixture
async def async_w3(request: pytest.FixtureRequest, suite_world: World) -> AsyncIterator[AsyncWeb3[Any]]:
    """A module that says OVER_WEBSOCKET has its clients on one."""
    if getattr(request.module, "OVER_WEBSOCKET", False):
        async with AsyncWeb3(WebSocketProvider(suite_world.websocket_url)) as client:
            yield client
    else:
        client = AsyncWeb3(AsyncHTTPProvider(suite_world.node.url))
        yield client
        await client.provider.disconnect()


@pytest.fixture(scope="module", params=[lambda text: to_bytes(hexstr=text), identity], ids=["bytes", "str"])
def address_conversion_func(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    return request.param  # type: ignore[no-any-return]


def _contract(name: str) -> Any:
    @pytest.fixture
    def deployed(w3: Web3, suite_world: World) -> Any:
        return w3.eth.contract(suite_world.addresses[name], abi=CONTRACTS[name]["abi"], bytecode=CONTRACTS[name]["bytecode"])

    return deployed


def _async_contract(name: str) -> Any:
    @pytest.fixture
    def deployed(async_w3: AsyncWeb3[Any], suite_world: World) -> Any:
        return async_w3.eth.contract(suite_world.addresses[name], abi=CONTRACTS[name]["abi"], bytecode=CONTRACTS[name]["bytecode"])

    return deployed


for _name in CONTRACTS:
    globals()[f"{_name}_contract"] = _contract(_name)
    globals()[f"async_{_name}_contract"] = _async_contract(_name)


def _of_world(part: str, key: str) -> Any:
    @pytest.fixture
    def found(suite_world: World) -> Any:
        return getattr(suite_world, part)[key]

    return found


math_contract_deploy_txn_hash = _of_world("transactions", "math")
mined_txn_hash = _of_world("transactions", "plain")
txn_hash_with_log = _of_world("transactions", "logs")


def _address(name: str) -> Any:
    @pytest.fixture
    def converted(suite_world: World, address_conversion_func: Callable[[str], Any]) -> Any:
        return address_conversion_func(suite_world.addresses[name])

    return converted


math_contract_address = async_math_contract_address = _address("math")
emitter_contract_address = async_emitter_contract_address = _address("emitter")


def _block(key: str) -> Any:
    @pytest.fixture
    def block(w3: Web3, suite_world: World) -> Any:
        return w3.eth.get_block(suite_world.blocks[key])

    return block


def _async_block(key: str) -> Any:
    @pytest_asyncio.fixture
    async def block(async_w3: AsyncWeb3[Any], suite_world: World) -> Any:
        return await async_w3.eth.get_block(suite_world.blocks[key])

    return block


empty_block, block_with_txn, block_with_txn_with_log = _block("empty"), _block("plain"), _block("logs")
async_empty_block, async_block_with_txn = _async_block("empty"), _async_block("plain")
async_block_with_txn_with_log = _async_block("logs")


@pytest.fixture
def keyfile_account_pkey() -> Any:
    return ACCOUNT.key


@pytest.fixture
def keyfile_account_address() -> str:
    return ACCOUNT.address


@pytest.fixture
def keyfile_account_address_dual_type(keyfile_account_address: str, address_conversion_func: Callable[[str], Any]) -> str:
    """In both runs the same, as in web3.py's own fixtures: the suites compare it with a text."""
    return keyfile_account_address


@pytest.fixture
def async_keyfile_account_address(keyfile_account_address: str) -> str:
    return keyfile_account_address


@pytest.fixture
def async_keyfile_account_address_dual_type(keyfile_account_address_dual_type: Any) -> Any:
    return keyfile_account_address_dual_type


@pytest.fixture
def skip_if_testrpc() -> Callable[[Any], None]:
    return lambda client: None


async_skip_if_testrpc = skip_if_testrpc


@pytest.fixture
def request_mocker() -> type[RequestMocker]:
    return RequestMocker
