"""One Hypothesis profile: no example has a time limit, so a busy core fails nothing; the same examples every time, others in a soak.

On PostgreSQL only tests that store anything run again.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.depth import DEEP_PLACES, in_a_soak
from tests.on_postgresql import SERVER, stores_anything

settings.register_profile("splittally", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=in_a_soak(False, True))
settings.load_profile("splittally")


@pytest.hookimpl(tryfirst=True)  # before pytest looks for marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(config.rootpath).as_posix().startswith(DEEP_PLACES):
            item.add_marker(pytest.mark.deep)
    if SERVER:
        left_out = [item for item in items if not stores_anything(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
