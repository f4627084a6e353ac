"""viem and ethers deploy, write, read, watch, prove and are refused as they are on any other Ethereum node."""

from __future__ import annotations

import pytest

from tests.conformance.clients.conftest import KEY
from tests.conformance.clients.outside import Endpoint, need_nodejs_packages, run_script
from tests.conformance.clients.scenario import ARTIFACT, check

pytestmark = pytest.mark.nodejs


@pytest.mark.parametrize("client", ["viem", "ethers"])
def test_a_client_does_its_ordinary_work(client: str, url: str, endpoint: Endpoint) -> None:
    need_nodejs_packages()
    check(run_script(f"{client}.mjs", url, str(ARTIFACT), KEY), endpoint)
