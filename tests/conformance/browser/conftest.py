"""One browser with one passkey for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.browser.wallet import Wallet, browser_wallet


@pytest.fixture(scope="module")
def wallet() -> Iterator[Wallet]:
    with browser_wallet() as opened:
        yield opened
