"""web3.py's own provider suites over HTTP, a block every second: here transactions wait, and can be replaced."""

import pytest

from tests.conformance.web3_suites.test_over_http import (  # noqa: F401 (collected here once more)
    TestDebug,
    TestEth,
    TestNet,
    TestTxPool,
    TestWeb3,
)

BLOCK_SECONDS = 1
pytestmark = [pytest.mark.deep, pytest.mark.filterwarnings("default")]
