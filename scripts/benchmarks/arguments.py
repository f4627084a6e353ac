"""What the benchmarks' options take: refused at the start rather than after an hour."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path

MEMBERS_MIN = 1_000  # a batch holds an entry each of so many


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
