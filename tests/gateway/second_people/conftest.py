from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.builders.agents import free_port
from tests.builders.commanded_coalition import CommandedCoalition, commanded_coalition


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandedCoalition]:
    with commanded_coalition(tmp_path_factory.mktemp("commanded")) as made:
        yield made


@pytest.fixture
def unused_port() -> int:
    return free_port()
