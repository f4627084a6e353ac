"""One name, one thing: no two modules of the gateway define the same public class or constant."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.sources import ROOT, python_files, tree_of

# Folders in which every module may define the name, with the reason.
SHARED = {
    "COMMANDS": ("gateway/commands", "each module lists its own commands under it; the command line joins the lists"),
}
CAPITAL = re.compile(r"[A-Z]\w*")


def test_no_two_modules_define_the_same_class_or_constant() -> None:
    several = {name: paths for name, paths in _defined_twice(ROOT).items() if not _is_shared(name, paths)}
    assert several == {}


def test_every_shared_name_is_still_shared() -> None:
    assert set(SHARED) <= set(_defined_twice(ROOT))


def test_a_name_defined_twice_is_seen(tmp_path: Path) -> None:
    _write(tmp_path / "gateway" / "one.py", "class Reservation:\n    pass\nLIMIT = 1\nAmount = int\nclass _Own: ...\n")
    _write(tmp_path / "gateway" / "deep" / "two.py", "Reservation = dict\nLIMIT: int = 2\nAmount = int\nclass _Own: ...\nlimit = 3\n")
    _write(tmp_path / "gateway" / "three.py", "limit = 3\nfrom one import LIMIT\ndef f():\n    LIMIT = 4\n")
    both = ["gateway/deep/two.py", "gateway/one.py"]
    assert _defined_twice(tmp_path) == {"Reservation": both, "LIMIT": both, "Amount": both}


def test_a_shared_name_is_free_in_its_folder_alone() -> None:
    assert _is_shared("COMMANDS", ["gateway/commands/a.py", "gateway/commands/b.py"])
    assert not _is_shared("COMMANDS", ["gateway/commands/a.py", "gateway/api/b.py"])


def _is_shared(name: str, paths: list[str]) -> bool:
    folder = SHARED.get(name, ("", ""))[0]
    return folder != "" and all(path.startswith(f"{folder}/") for path in paths)


def _defined_twice(root: Path) -> dict[str, list[str]]:
    modules: dict[str, list[str]] = defaultdict(list)
    for path in python_files(root / "gateway"):
        for name in sorted(set(_defined(tree_of(path)))):
            modules[name].append(str(path.relative_to(root)))
    return {name: paths for name, paths in modules.items() if len(paths) > 1}


def _defined(module: ast.Module) -> Iterator[str]:
    for node in module.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.ClassDef):
            targets = [ast.Name(node.name)]
        elif isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name) and CAPITAL.fullmatch(target.id))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
