"""What a foreign program answered becomes typed values here, or is refused whole; nothing else of it is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

_CODE = re.compile(r"[a-z0-9_]{1,64}")


class Unreadable(ValueError):
    """The answer is not what it should be. Says nothing of what it was."""


def read_json(content: bytes | str) -> Any:
    """Bounded in depth, whatever Python's own recursion limit has been set to: a deeply nested text would else end the process."""
    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise Unreadable("it is no JSON, or nested too deeply") from error


def read_object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable("no object where one is due")
    return value


def read_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Unreadable("no list where one is due")
    return value


def read_index(value: Any, count: int) -> int:
    """A whole number from 0 to count - 1: 1.0, true and "1" are none."""
    if type(value) is not int or not 0 <= value < count:
        raise Unreadable("no index of what was asked about")
    return value


def read_code(value: Any) -> str:
    """A word that programs compare, which may be stored, logged and shown as it is."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise Unreadable("no code of small letters, digits and _, at most 64")
    return value
