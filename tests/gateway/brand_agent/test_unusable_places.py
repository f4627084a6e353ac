"""What an agent may not read or write is named, with what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.brand_agent.till_journal import TillJournal
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash
from tests.builders.agents import CHAIN_ID, agent_settings
from tests.builders.brands import ROOT
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS

REMEDY = "it and its folder must be readable and writable for the user who runs this"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "agent.json").write_text(json.dumps(agent_settings(0, "http://127.0.0.1:1")))
    yield tmp_path
    tmp_path.chmod(0o700)


def test_settings_that_may_not_be_read(folder: Path) -> None:
    (folder / "agent.json").chmod(0)
    said = _refused(folder)
    assert f"{folder}/agent.json cannot be used (Permission denied; this runs as user {os.geteuid()})" in said
    assert REMEDY in said


def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    folder.chmod(0o500)
    said = _refused(folder)
    assert ("[Errno" in said, f"{folder}/" in said, "cannot be used (Permission denied" in said, REMEDY in said) == (
        False,
        True,
        True,
        True,
    )


def test_a_journal_that_may_only_be_read(folder: Path) -> None:
    (folder / "reference_secret").write_text("01" * 32)
    (folder / "reference_secret").chmod(0o600)
    domain = Domain(CHAIN_ID, Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID))
    with closing(TillJournal(folder / "agent.sqlite", domain, 1)):
        pass
    (folder / "agent.sqlite").chmod(0o400)
    folder.chmod(0o500)
    said = _refused(folder)
    assert ("agent.sqlite cannot be written (" in said, "must be writable for the user who runs the agent" in said) == (True, True), said


def _refused(folder: Path) -> str:
    """What the agent says that does not start, run by somebody to whom modes apply."""
    as_others = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("modes say nothing to this user, and setpriv is not here")
        as_others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"]
    command = [*as_others, sys.executable, "-m", "gateway.brand_agent", "--config", str(folder / "agent.json")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    return done.stderr
