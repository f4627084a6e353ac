"""Codes, statuses and titles of problems, and reasons of refused entries, are the recorded ones: callers act on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorded import problems
from tests.recorded.data_files import assert_as_recorded


@pytest.mark.timeout(120)
def test_problems_and_reasons_are_as_recorded(tmp_path: Path) -> None:
    assert_as_recorded("problems", problems.collect(tmp_path))
