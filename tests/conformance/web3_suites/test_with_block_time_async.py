"""web3.py's own asynchronous provider suites over HTTP, a block every second: here transactions wait, and can be replaced."""

import pytest

from tests.conformance.web3_suites.test_over_http_async import (  # noqa: F401 (collected here once more)
    TestAsyncDebug,
    TestAsyncEth,
    TestAsyncNet,
    TestAsyncTxPool,
    TestAsyncWeb3,
)
from tests.depth import at_soak_alone

BLOCK_SECONDS = 1
pytestmark = [at_soak_alone, pytest.mark.deep, pytest.mark.filterwarnings("default")]
