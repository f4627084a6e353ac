"""Hex becomes bytes, and bytes hex, in one file: `bytes.fromhex` skips spaces and takes no "0x", so the form is checked once, there."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, python_files, tree_of

ALLOWED = {
    "gateway/values/hex.py": "the one place",
}


def test_hex_is_read_and_written_in_one_place() -> None:
    assert _files_with_hex(ROOT) - set(ALLOWED) == set()


def test_a_file_that_leaves_hex_alone_is_on_no_list() -> None:
    assert set(ALLOWED) - _files_with_hex(ROOT) == set()


@pytest.mark.parametrize(
    "line",
    [
        'bytes.fromhex("00")',
        'bytearray.fromhex("00")',
        '"0x" + b"".hex()',
        'f"0x{12:x}"',
        'f"is 0x{12:x}"',
        '"0x00".removeprefix("0x")',
        'int("1_0", 16)',
        'list(map(bytes.fromhex, ["00"]))',
        "from binascii import unhexlify",
    ],
)
def test_hex_outside_its_place_is_seen(tmp_path: Path, line: str) -> None:
    assert _files_with_hex(_planted(tmp_path, line)) == {"gateway/deep/some.py"}


@pytest.mark.parametrize("line", ['"0x00"', '"bytes.fromhex(it)"', 'f"{12}0x"', '"BRAND".removeprefix("B")', "# bytes.fromhex"])
def test_text_that_merely_speaks_of_hex_is_free(tmp_path: Path, line: str) -> None:
    assert _files_with_hex(_planted(tmp_path, line)) == set()


def _files_with_hex(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in python_files(root / "gateway") if any(map(_is_hex, ast.walk(tree_of(path))))}


def _is_hex(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="fromhex" | "unhexlify") | ast.alias(name="unhexlify"):
            return True
        case ast.Call(func=ast.Name(id="int"), args=[_, ast.Constant(value=16)]):
            return True
        case ast.Call(func=ast.Attribute(attr="removeprefix"), args=[ast.Constant(value="0x")]):
            return True
        case ast.BinOp(op=ast.Add(), left=ast.Constant(value="0x")):
            return True
        case ast.JoinedStr(values=parts):
            return any(_opens_hex(part) and isinstance(after, ast.FormattedValue) for part, after in itertools.pairwise(parts))
    return False


def _opens_hex(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.endswith("0x")


def _planted(folder: Path, line: str) -> Path:
    (folder / "gateway" / "deep").mkdir(parents=True)
    (folder / "gateway" / "deep" / "some.py").write_text(line + "\n")
    return folder
