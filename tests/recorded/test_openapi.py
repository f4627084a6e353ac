"""The API's description is the recorded one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recorded import api_description
from tests.recorded.data_files import assert_as_recorded


@pytest.mark.timeout(60)
def test_the_api_describes_itself_as_recorded(tmp_path: Path) -> None:
    assert_as_recorded("openapi", api_description.collect(tmp_path))
