"""One running coalition for the tests that leave it usable for the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders.coalition import CoalitionBuilder, running_coalition


@pytest.fixture(scope="package")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("coalition"), brand_ids=(1, 2, 3), members=4) as builder:
        yield builder
