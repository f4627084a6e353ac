"""The main job at full size ends with the recorded figures, on every seed. That of a reduced one is looked at in tests/end_to_end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.depth import at_soak_alone
from tests.recorded import main_job
from tests.recorded.data_files import DATA, assert_as_recorded


def test_every_seed_is_recorded() -> None:
    assert {path.stem for path in (DATA / "main_job").iterdir()} == {str(seed) for seed in main_job.SEEDS} | {"reduced"}


@at_soak_alone
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", main_job.SEEDS)
def test_the_main_job_ends_with_the_recorded_figures(tmp_path: Path, seed: int) -> None:
    assert_as_recorded(f"main_job/{seed}", main_job.collect(tmp_path, seed))
