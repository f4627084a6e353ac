from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders.commanded_coalition import commanded_coalition
from tests.trust.ground import Ground


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with commanded_coalition(tmp_path_factory.mktemp("trust")) as made:
        yield Ground(made)
