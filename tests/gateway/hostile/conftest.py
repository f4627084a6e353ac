"""A coalition in which brand 1 is the attacker's and brand 2 goes on with its work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.gateway.hostile.attacked import QUESTION_SECONDS, point_at


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("hostile"), signer_timeout_seconds=QUESTION_SECONDS) as builder:
        yield builder


@pytest.fixture
def coalition(lasting: CoalitionBuilder) -> Iterator[CoalitionBuilder]:
    """Mended after each test: brands have their own signers again, nothing is open."""
    yield lasting
    for brand_id, brand in lasting.brands.items():
        point_at(lasting, brand_id, brand.url)
    lasting.restart_worker()
    if any(brand.process is None for brand in lasting.brands.values()):
        lasting.set_time(lasting.now + lasting.settings.batch_lifetime_seconds + 1)
    lasting.work_off()
