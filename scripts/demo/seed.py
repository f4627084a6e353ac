"""The seed that a run uses when none is given: derived from the commit, or from the project's version where there is no git."""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 2**31 - 1


def default_seed(root: Path = ROOT) -> int:
    """A whole number from 0 to 2^31 - 1, the same for the same commit."""
    return int.from_bytes(hashlib.sha256((_commit(root) or _version(root)).encode()).digest()[:4]) & LARGEST


def _commit(root: Path) -> str | None:
    """The commit of a checkout at `root` itself; None where git, or a repository with a commit, is missing."""
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "rev-parse", "--verify", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _version(root: Path) -> str:
    with (root / "pyproject.toml").open("rb") as stream:
        return f"version {tomllib.load(stream)['project']['version']}"
