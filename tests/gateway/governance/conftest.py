from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders.coalition import CoalitionBuilder, running_coalition

DELAY = 2 * 86_400


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    """Brands 1 and 2 under a governance whose acts wait two days."""
    with running_coalition(tmp_path_factory.mktemp("governed"), brand_ids=(), members=0, governance_delay_seconds=DELAY) as builder:
        builder.add_brand(1)
        builder.add_brand(2)
        builder.wait_out(DELAY)
        yield builder
