"""A whole coalition on a real node, on which members earned and spent through the gateway's own write path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.receipts.lived_coalition import LivedCoalition, live


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivedCoalition]:
    """Entries of every kind but expire, a refused one, and several members."""
    with running_coalition(tmp_path_factory.mktemp("coalition"), members=4) as coalition:
        assert isinstance(coalition, CoalitionBuilder)
        yield live(coalition)
