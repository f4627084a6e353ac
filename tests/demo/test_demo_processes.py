"""A child that is taken away stays away for so long, and is started again with its own environment."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from scripts.demo.processes import Supervisor

TELLS = "import os, sys, time; open(sys.argv[1], 'w').write(os.environ['ITS_OWN']); time.sleep(600)"


def test_nothing_is_started_while_a_child_is_away(tmp_path: Path) -> None:
    told = tmp_path / "told"
    with Supervisor(tmp_path) as supervisor:
        ready = lambda: told.exists() and told.read_text() == "word"  # noqa: E731
        supervisor.start("child", ["-c", TELLS, str(told)], ready, restart=True, variables={"ITS_OWN": "word"})
        first = supervisor.pid("child")
        with supervisor.away("child"):
            told.unlink()
            with pytest.raises(ProcessLookupError):
                os.kill(first, 0)
            time.sleep(0.5)  # five looks of the supervisor
            assert not told.exists()
        assert told.read_text() == "word"
        assert supervisor.pid("child") != first
