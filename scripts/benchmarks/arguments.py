"""What the benchmarks' options take: refused at the start rather than after an hour."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

MEMBERS_MIN = 1_000  # a batch holds an entry each of so many
SECONDS_MAX = 3_600


def number_of_members(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < MEMBERS_MIN:
        raise ArgumentTypeError(f"{text!r} is not a whole number from {MEMBERS_MIN:,}, as many as one batch has entries")
    return count


def file_to_write(text: str) -> Path:
    path = Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ArgumentTypeError(f"{text} cannot be written: its folder must exist, and it must be none itself")
    return path


def folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise ArgumentTypeError(f"{text} is no folder")
    return path


def folder_to_make(text: str) -> Path:
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ArgumentTypeError(f"{text} can be no folder: {problem.strerror}") from problem
    return path


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """What takes a whole number from `least` to `most`."""

    def parse(text: str) -> int:
        bounds = f"from {least:,}" if most is None else f"from {least:,} to {most:,}"
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            raise ArgumentTypeError(f"{text!r} is not a whole number {bounds}")
        return int(text)

    return parse


def seconds_long(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 1 <= seconds <= SECONDS_MAX:
        raise ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to {SECONDS_MAX:,}")
    return seconds
