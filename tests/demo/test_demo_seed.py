"""The seed that a run takes when it is given none."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scripts.demo.seed import LARGEST, default_seed


def test_a_commit_gives_one_seed_and_the_next_commit_another(tmp_path: Path) -> None:
    _project(tmp_path, "0.1.0")
    _git(tmp_path, "init", "-q")
    _commit(tmp_path)
    first = default_seed(tmp_path)
    assert first == default_seed(tmp_path)
    _commit(tmp_path)
    assert default_seed(tmp_path) != first
    assert 0 <= first <= LARGEST


def test_without_git_the_version_gives_the_seed(tmp_path: Path) -> None:
    _project(tmp_path, "0.1.0")
    first = default_seed(tmp_path)
    assert first == default_seed(tmp_path)
    _project(tmp_path, "0.2.0")
    assert default_seed(tmp_path) != first


def test_a_repository_without_a_commit_counts_as_none(tmp_path: Path) -> None:
    _project(tmp_path, "0.1.0")
    before = default_seed(tmp_path)
    _git(tmp_path, "init", "-q")
    assert default_seed(tmp_path) == before


def _project(folder: Path, version: str) -> None:
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\nversion = "{version}"\n')


def _commit(folder: Path) -> None:
    _git(folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "a commit")


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
