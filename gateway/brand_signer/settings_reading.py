"""Reads parsed settings field by field and notes all that is wrong, so that whoever writes them learns of everything at once.

What is noted gives a value that stands for nothing: nobody uses what was read before the notes were looked at.
"""

from __future__ import annotations

from typing import Any, TypeVar

from gateway.values.hex import BadHex
from gateway.values.ids import Id

_AnyId = TypeVar("_AnyId", bound=Id)


class Reading:
    """An object of the settings at `place`; `noted` is shared by all of them."""

    def __init__(self, value: Any, place: str, noted: list[str]) -> None:
        self._place, self._noted = place, noted
        self._asked: set[str] = set()
        self._is_there = isinstance(value, dict)
        self._values: dict[str, Any] = value if isinstance(value, dict) else {}
        if not self._is_there:
            noted.append(f"{place or 'the whole'} must be an object {{…}}")

    def says(self, name: str) -> bool:
        self._asked.add(name)
        return name in self._values

    def wrong(self, name: str, why: str) -> None:
        self._noted.append(f"{self._named(name)} {why}")

    def integer(self, name: str) -> int:
        return self._number(name, None, None)

    def whole(self, name: str, least: int = 0, unsaid: int | None = None) -> int:
        return self._number(name, least, unsaid)

    def truth(self, name: str, unsaid: bool | None = None) -> bool:
        value = self._of(name, unsaid)
        if value is not None and not isinstance(value, bool):
            self.wrong(name, "must be true or false")
        return value is True

    def text(self, name: str, unsaid: str | None = None) -> str:
        value = self._of(name, unsaid)
        if value is not None and not isinstance(value, str):
            self.wrong(name, "must be a text")
        return value if isinstance(value, str) else ""

    def hex_id(self, name: str, kind: type[_AnyId]) -> _AnyId:
        value = self._of(name)
        try:
            return kind.parse(value)
        except BadHex as why:
            if value is not None:
                self.wrong(name, f"cannot be: {why}")
        return kind(bytes(kind.SIZE))

    def inner(self, name: str, may_miss: bool = False) -> Reading:
        value = self._of(name, {} if may_miss else None)
        return Reading({} if value is None else value, self._named(name), [] if value is None else self._noted)

    def inner_list(self, name: str) -> list[Reading]:
        value = self._of(name)
        if value is not None and not isinstance(value, list):
            self.wrong(name, "must be a list […]")
        return (
            [Reading(each, f"{self._named(name)}[{at}]", self._noted) for at, each in enumerate(value)] if isinstance(value, list) else []
        )

    def texts(self, name: str) -> list[str]:
        """A list of at least one text, none of them empty."""
        value = self._of(name)
        if value is None or (isinstance(value, list) and value and all(isinstance(each, str) and each for each in value)):
            return value or []
        self.wrong(name, 'must be a list of texts ["…"]')
        return []

    def nothing_else(self) -> None:
        """After everything that is known was asked for."""
        for name in sorted(set(self._values) - self._asked):
            self._noted.append(f"{self._named(name)} is no setting: take it out, or is one of {', '.join(sorted(self._asked))} meant?")

    def _number(self, name: str, least: int | None, unsaid: int | None) -> int:
        value = self._of(name, unsaid)
        if value is None:
            return least or 0
        if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
            self.wrong(name, "must be a whole number" + ("" if least is None else f" from {least} on"))
            return least or 0
        return value

    def _of(self, name: str, unsaid: Any = None) -> Any:
        """None for what is noted as missing."""
        self._asked.add(name)
        value = self._values.get(name, unsaid)
        if value is None and self._is_there:
            self.wrong(name, "is missing" if name not in self._values else "must not be null")
        return value

    def _named(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place else name
