"""One Hypothesis profile: no example has a time limit, so a busy core fails nothing; the same examples every time, others in a soak."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.depth import in_a_soak

settings.register_profile("splittally", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=in_a_soak(False, True))
settings.load_profile("splittally")
