"""Splits what goes into one IN list, so that it stays below every database's bound on parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")


def chunks(items: Iterable[_Item], size: int = 500) -> Iterator[list[_Item]]:
    """Lists of at most `size`."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
