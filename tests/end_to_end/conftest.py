"""The reduced main job on the project's own node, run once for every test that looks at what it leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import demo_run


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("main-job") / "demo"


@pytest.fixture(scope="session")
def summary(data: Path) -> dict[str, Any]:
    return demo_run.run_once(data, *demo_run.REDUCED, "--seed", demo_run.SEED)
