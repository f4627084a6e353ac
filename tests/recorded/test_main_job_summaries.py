"""The main job at full size ends with the recorded figures.

One seed, which SPLITTALLY_MAIN_JOB_SEED may choose; all of them in a soak.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.depth import in_a_soak
from tests.recorded import main_job
from tests.recorded.data_files import DATA, assert_as_recorded

CHOSEN = int(os.environ.get("SPLITTALLY_MAIN_JOB_SEED", main_job.SEEDS[0]))


def test_every_seed_is_recorded() -> None:
    assert {path.stem for path in (DATA / "main_job").iterdir()} == {str(seed) for seed in main_job.SEEDS}


@pytest.mark.deep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", in_a_soak(main_job.SEEDS, (CHOSEN,)))
def test_the_main_job_ends_with_the_recorded_figures(tmp_path: Path, seed: int) -> None:
    assert_as_recorded(f"main_job/{seed}", main_job.collect(tmp_path, seed))
