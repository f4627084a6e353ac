"""Rules about the repository itself that no linter knows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, packages_imported

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+( ; .+?)? \\$|^    --hash=sha256:[0-9a-f]{64}( \\)?$|^# .*$|^$")
INTERNAL = {"gateway", "node", "scripts", "tests"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_file_holds_versions_and_hashes_and_nothing_else(lock: Path) -> None:
    odd = [line for line in lock.read_text().splitlines() if not PINNED.match(line)]
    assert odd == []


def test_every_dependency_is_locked() -> None:
    assert {lock.stem for lock in LOCKS} == {"runtime", "development", "data", "verification"}


@pytest.mark.parametrize(
    "path", ["scripts/verify_receipt.py", "scripts/verify_chain.py", "scripts/environment.py", "scripts/outside_parts.py"]
)
def test_a_file_that_stands_alone_imports_nothing_of_the_project(path: str) -> None:
    assert packages_imported(ROOT / path) & INTERNAL == set()


def test_set_up_needs_the_standard_library_alone() -> None:
    import sys

    for path in ("scripts/environment.py", "scripts/outside_parts.py"):
        assert packages_imported(ROOT / path) <= set(sys.stdlib_module_names)


def test_no_tracked_file_is_a_secret_or_a_database() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [path for path in tracked if path.endswith((".key", ".sqlite3", ".pem", ".sst"))] == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            if not (document.parent / target).exists():
                broken.append(f"{document.relative_to(ROOT)}: {target}")
    assert broken == []
