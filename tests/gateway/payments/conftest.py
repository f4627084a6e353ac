"""A coalition with two brands, offline: no node is needed to import and reconcile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.offline_coalition import OfflineCoalition


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[OfflineCoalition]:
    made = OfflineCoalition(tmp_path)
    made.brand(1)
    made.brand(2)
    yield made
    made.close()
