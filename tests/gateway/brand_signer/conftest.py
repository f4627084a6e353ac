"""A brand with books of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.brand_signer.brand_books import Brand


@pytest.fixture
def brand(tmp_path: Path) -> Iterator[Brand]:
    made = Brand(tmp_path)
    yield made
    made.close()
    made.till.close()
