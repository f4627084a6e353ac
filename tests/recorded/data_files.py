"""The recorded data: JSON files beside this module, compared to the byte with what the code makes now."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
LINES_SHOWN = 60


def text_of(value: Any) -> str:
    """The file's text; the order of keys is part of it."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def write(name: str, value: Any) -> None:
    path = DATA / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of(value), encoding="utf-8")


def recorded(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def assert_as_recorded(name: str, value: Any) -> None:
    """Fails with the lines that differ."""
    before = (DATA / f"{name}.json").read_text(encoding="utf-8")
    now = text_of(value)
    if now != before:
        lines = list(difflib.unified_diff(before.splitlines(), now.splitlines(), f"{name}.json", "now", n=2, lineterm=""))
        more = f"\n… {len(lines) - LINES_SHOWN} more lines" if len(lines) > LINES_SHOWN else ""
        raise AssertionError(f"not as recorded:\n{chr(10).join(lines[:LINES_SHOWN])}{more}")


def exact_json(content: bytes, separators: tuple[str, str]) -> Any:
    """What JSON on the wire says; written with these separators again it is the same bytes, so the parsed form loses nothing."""
    parsed = json.loads(content)
    assert json.dumps(parsed, ensure_ascii=False, separators=separators).encode() == content, content
    return parsed
