"""One Hypothesis profile: no example has a time limit, so a busy core fails nothing; the same examples every time, others in a soak.

On PostgreSQL only tests that store anything run again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.depth import DEEP_PLACES, in_a_soak
from tests.on_postgresql import SERVER, stores_anything

SERVING_FOR_A_SESSION = 4  # at most, in one process
settings.register_profile("splittally", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=in_a_soak(False, True))
settings.load_profile("splittally")


@pytest.fixture(scope="module", autouse=True)
def _no_server_is_left_serving() -> Iterator[None]:
    """One whose test ended by an exception, and whose socket is closed, spins for the rest of the run and slows down every later test."""
    yield
    until = time.monotonic() + 5
    while len(left := [one.name for one in threading.enumerate() if one.name.endswith("(serve_forever)")]) > SERVING_FOR_A_SESSION:
        assert time.monotonic() < until, f"{len(left)} servers were not shut down: end them in a `finally`"
        time.sleep(0.05)


@pytest.hookimpl(tryfirst=True)  # before pytest looks for marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(config.rootpath).as_posix().startswith(DEEP_PLACES):
            item.add_marker(pytest.mark.deep)
    if SERVER:
        left_out = [item for item in items if not stores_anything(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
