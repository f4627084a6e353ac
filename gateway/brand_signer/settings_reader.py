"""Reads settings from parsed JSON and collects everything that is wrong, so that all fields are named at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from gateway.values.hex import BadHex
from gateway.values.ids import Id

_AnyId = TypeVar("_AnyId", bound=Id)
_T = TypeVar("_T")


class BadConfig(Exception):
    """Settings are missing, unknown or cannot be; the text names each."""


def read_settings(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else wrong
        raise BadConfig(f"{path} cannot be read ({reason}): name the signer's settings (JSON) with --config") from wrong


class Section:
    """One object of the settings. What is wrong is noted in `wrong`, which all sections of a file share, and something stands in for it."""

    def __init__(self, value: Any, known: set[str], name: str = "", wrong: list[str] | None = None) -> None:
        self.wrong: list[str] = [] if wrong is None else wrong
        self._name = name
        self._values: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.wrong.append(f"{name or 'the settings'} must be an object with {', '.join(sorted(known))}")
        self.wrong += [f"{self._place(one)} is no setting" for one in sorted(set(self._values) - known)]
        self._is_object = isinstance(value, dict)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def section(self, name: str, known: set[str], unsaid: Any = None) -> Section:
        """`unsaid` counts where it is left out, which otherwise it may not be."""
        return Section(self._value(name, unsaid, unsaid, {}), known, self._place(name), self.wrong)

    def sections(self, name: str, known: set[str]) -> list[Section]:
        value = self._value(name, None, None, [])
        if not isinstance(value, list):
            self.note(name, "must be a list")
            return []
        return [Section(one, known, f"{self._place(name)}[{index}]", self.wrong) for index, one in enumerate(value)]

    def integer(self, name: str, unsaid: int | None = None) -> int:
        value = self._value(name, unsaid, unsaid, 0)
        if isinstance(value, bool) or not isinstance(value, int):
            self.note(name, "must be a whole number")
            return 0
        return value

    def whole(self, name: str, unsaid: int | None = None) -> int:
        value = self.integer(name, unsaid)
        if value < 0:
            self.note(name, "must not be negative")
        return value

    def truth(self, name: str, unsaid: bool | None = None) -> bool:
        value = self._value(name, unsaid, unsaid, False)
        if not isinstance(value, bool):
            self.note(name, "must be true or false")
        return bool(value)

    def text(self, name: str, unsaid: str | None = None) -> str:
        value = self._value(name, unsaid, unsaid, "-")
        if not isinstance(value, str) or not value:
            self.note(name, "must be a text")
            return "-"
        return value

    def id(self, name: str, kind: type[_AnyId]) -> _AnyId:
        stands_in = kind(bytes(kind.SIZE))
        value = self._value(name, None, None, str(stands_in))
        try:
            return kind.parse(value)
        except BadHex as wrong:
            self.note(name, f"is none: {wrong}")
            return stands_in

    def note(self, name: str, reason: str) -> None:
        self.wrong.append(f"{self._place(name)} {reason}")

    def _value(self, name: str, unsaid: object, given: Any, stands_in: Any) -> Any:
        if name in self._values:
            return self._values[name]
        if unsaid is not None:
            return given
        if self._is_object:
            self.note(name, "is missing")
        return stands_in

    def _place(self, name: str) -> str:
        return f"{self._name}.{name}" if self._name else name
