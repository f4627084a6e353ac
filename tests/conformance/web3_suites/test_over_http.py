"""web3.py's own provider suites over HTTP, each transaction sealed at once."""

import pytest
from web3._utils.module_testing import (
    EthModuleTest,
    GoEthereumDebugModuleTest,
    GoEthereumTxPoolModuleTest,
    NetModuleTest,
    Web3ModuleTest,
)

from tests.conformance.web3_suites.world import ENGINE

pytestmark = pytest.mark.filterwarnings("default")


class TestEth(EthModuleTest):
    pass


class TestNet(NetModuleTest):
    pass


class TestWeb3(Web3ModuleTest):
    def _check_web3_client_version(self, client_version: str) -> None:
        assert client_version.startswith("splittally-node/" if ENGINE in (None, "node") else "anvil/")


class TestTxPool(GoEthereumTxPoolModuleTest):
    pass


class TestDebug(GoEthereumDebugModuleTest):
    pass
