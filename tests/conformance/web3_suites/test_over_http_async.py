"""web3.py's own asynchronous provider suites over HTTP, each transaction sealed at once."""

import pytest
from web3._utils.module_testing import (
    AsyncEthModuleTest,
    AsyncNetModuleTest,
    GoEthereumAsyncDebugModuleTest,
    GoEthereumAsyncTxPoolModuleTest,
)
from web3._utils.module_testing.web3_module import AsyncWeb3ModuleTest

from tests.conformance.web3_suites.world import ENGINE

pytestmark = [pytest.mark.deep, pytest.mark.filterwarnings("default")]


class TestAsyncEth(AsyncEthModuleTest):
    pass


class TestAsyncNet(AsyncNetModuleTest):
    pass


class TestAsyncWeb3(AsyncWeb3ModuleTest):
    def _check_web3_client_version(self, client_version: str) -> None:
        assert client_version.startswith("splittally-node/" if ENGINE in (None, "node") else "anvil/")


class TestAsyncTxPool(GoEthereumAsyncTxPoolModuleTest):
    pass


class TestAsyncDebug(GoEthereumAsyncDebugModuleTest):
    pass
