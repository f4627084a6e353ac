"""web3.py's own asynchronous suites over WebSocket, a block every second."""

import pytest

from tests.conformance.web3_suites.test_over_http_async import (  # noqa: F401 (collected here once more)
    TestAsyncDebug,
    TestAsyncEth,
    TestAsyncNet,
    TestAsyncTxPool,
    TestAsyncWeb3,
)

BLOCK_SECONDS = 1
OVER_WEBSOCKET = True
pytestmark = [pytest.mark.deep, pytest.mark.filterwarnings("default")]
