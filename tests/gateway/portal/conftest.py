"""An offline coalition for each test of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.offline_coalition import OfflineCoalition


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[OfflineCoalition]:
    made = OfflineCoalition(tmp_path)
    yield made
    made.close()
