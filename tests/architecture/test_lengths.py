"""Files fit on a few screens and functions on one or two; the longer ones are listed with a reason in allowed_lengths.toml. No folder of
the gateway grows to more than a share of it.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from pathlib import Path

from tests.architecture.sources import ROOT, python_files, tree_of

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70
FOLDER_SHARE_MAX = 0.15
ALLOWED: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("allowed_lengths.toml").read_text())


def test_the_long_files_are_those_with_a_reason() -> None:
    assert _long_files(ROOT, "gateway", "node", "scripts") == set(ALLOWED["files"])


def test_the_long_functions_are_those_with_a_reason() -> None:
    assert _long_functions(ROOT, "gateway", "node", "scripts") == set(ALLOWED["functions"])


def test_every_reason_says_something() -> None:
    assert all(reason for kind in ALLOWED.values() for reason in kind.values())


def test_a_file_is_long_from_the_first_line_over(tmp_path: Path) -> None:
    _write(tmp_path / "node" / "fits.py", "1\n" * FILE_LINES_MAX)
    _write(tmp_path / "node" / "long.py", "1\n" * (FILE_LINES_MAX + 1))
    _write(tmp_path / "node" / "program", "#!/usr/bin/env python3\n" + "1\n" * FILE_LINES_MAX)
    assert _long_files(tmp_path, "node") == {"node/long.py", "node/program"}


def test_a_function_is_long_from_the_first_line_over(tmp_path: Path) -> None:
    fits = "    def fits(self):\n" + "        1\n" * (FUNCTION_LINES_MAX - 1)
    long = "    async def long(self):\n" + "        1\n" * FUNCTION_LINES_MAX
    _write(tmp_path / "node" / "some.py", f"class Some:\n{fits}{long}")
    assert _long_functions(tmp_path, "node") == {"node/some.py:long"}


def test_no_folder_of_the_gateway_outgrows_the_others() -> None:
    assert _big_folders(ROOT / "gateway") == set()


def test_a_folder_is_big_from_the_first_line_over_its_share(tmp_path: Path) -> None:
    for folder, lines in {"big": 16, "fits": 15, "rest": 15, "more": 15, "of": 15, "them": 15, "store": 9}.items():
        _write(tmp_path / folder / "some.py", "1\n" * lines)
    (tmp_path / "store" / "migrations").mkdir()
    _write(tmp_path / "store" / "migrations" / "versions" / "0009_some.py", "1\n" * 100)
    assert _big_folders(tmp_path) == {"big"}


def _big_folders(gateway: Path) -> set[str]:
    """Published migrations do not count: they only pile up."""
    lines: Counter[str] = Counter()
    for path in gateway.rglob("*.py"):
        if "versions" not in path.parts:
            lines[path.relative_to(gateway).parts[0]] += len(path.read_text().splitlines())
    return {folder for folder, count in lines.items() if count > FOLDER_SHARE_MAX * lines.total()}


def _long_files(root: Path, *folders: str) -> set[str]:
    paths = [path for folder in folders for path in python_files(root / folder)]
    return {str(path.relative_to(root)) for path in paths if len(path.read_text().splitlines()) > FILE_LINES_MAX}


def _long_functions(root: Path, *folders: str) -> set[str]:
    return {
        f"{path.relative_to(root)}:{node.name}"
        for folder in folders
        for path in python_files(root / folder)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
