"""Options that cannot work are refused at once and by name, before anything is measured."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.benchmarks.arguments import MEMBERS_MIN, file_to_write, folder, number_of_members

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("benchmark", ["ledger", "nodes"])
@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--members", "0", "'0' is not a whole number from 1,000"),
        ("--members", "-5", "'-5' is not a whole number from 1,000"),
        ("--members", "999", "'999' is not a whole number from 1,000"),
        ("--members", "many", "'many' is not a whole number from 1,000"),
        ("--json", "nowhere/figures.json", "nowhere/figures.json cannot be written"),
        ("--json", ".", ". cannot be written"),
        ("--data", "nowhere", "nowhere is no folder"),
    ],
)
def test_an_option_that_cannot_work_is_refused_by_name(tmp_path: Path, benchmark: str, option: str, value: str, reason: str) -> None:
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom scripts.benchmarks.{benchmark} import main\nmain()",
    ]
    ran = subprocess.run([*command, f"{option}={value}"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 2
    assert f"error: argument {option}: {reason}" in ran.stderr


def test_options_that_can_work_are_taken(tmp_path: Path) -> None:
    assert number_of_members("1000") == MEMBERS_MIN
    assert file_to_write(str(tmp_path / "new.json")) == tmp_path / "new.json"
    (tmp_path / "old.json").touch()
    assert file_to_write(str(tmp_path / "old.json")) == tmp_path / "old.json"
    assert folder(str(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--members", "999"], "'999' is not a whole number from 1,000"),
        (["--purchases", "many"], "'many' is not a whole number from 0"),
        (["--purchases", "1999", "--members", "2000"], "--purchases: each member needs one, to have points"),
        (["--brands", "9"], "'9' is not a whole number from 1 to 8"),
        (["--seconds", "0.5"], "'0.5' is not a number of seconds from 1 to 3,600"),
        (["--seconds", "nan"], "'nan' is not a number of seconds from 1 to 3,600"),
        (["--only", "everything"], "invalid choice: 'everything'"),
        (["--keep"], "--keep needs --data DIR"),
        (["--data", "/dev/null/x"], "/dev/null/x can be no folder"),
    ],
)
def test_an_option_of_the_gateways_that_cannot_work_is_refused_by_name(tmp_path: Path, options: list[str], reason: str) -> None:
    command = [sys.executable, "-m", "scripts.benchmarks.gateway", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 2
    assert reason in ran.stderr
