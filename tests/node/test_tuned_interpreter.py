"""What suits a serving node is undone where others share its process: their cycles may be big."""

from __future__ import annotations

import gc
import sys

from node.app import GARBAGE_THRESHOLDS, SWITCH_INTERVAL_SECONDS, tuned_interpreter


def _settings() -> tuple[object, ...]:
    return gc.get_threshold(), round(sys.getswitchinterval(), 6), gc.get_freeze_count()


def test_it_holds_while_the_node_serves_and_no_longer() -> None:
    before = _settings()
    with tuned_interpreter():
        assert _settings()[:2] == (GARBAGE_THRESHOLDS, round(SWITCH_INTERVAL_SECONDS, 6))
        assert gc.get_freeze_count() > 0
    assert _settings() == before
