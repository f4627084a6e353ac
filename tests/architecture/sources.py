"""The project's Python files as syntax trees, for the rules that read them."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def python_files(folder: Path) -> list[Path]:
    """Modules, and programs without a suffix whose first line names Python."""
    programs = [path for path in folder.rglob("*") if not path.suffix and path.is_file() and _names_python(path)]
    return sorted([*folder.rglob("*.py"), *programs])


def tree_of(path: Path) -> ast.Module:
    return _parsed(path.read_text())


def imported(path: Path) -> Iterator[str]:
    """Dotted names of everything a file imports, wherever in it; `from a import b` is `a.b`.

    Relative imports stay out: the linter allows none that leaves its package.
    """
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def packages_imported(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def gateway_layers() -> list[set[str]]:
    """The gateway's packages from the faces down, as the contract in pyproject.toml lists them."""
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    [layers] = [one["layers"] for one in contracts if one.get("containers") == ["gateway"]]
    return [set(re.split(r"\s*[:|]\s*", layer)) for layer in layers]


@functools.cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def _names_python(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(200)
    return first.startswith(b"#!") and b"python" in first
