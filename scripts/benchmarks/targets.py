"""Bounds that a report is held against, looked up in it by path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scripts.benchmarks.figures import Figures


@dataclass(frozen=True)
class Target:
    """`key` is a path into the report; `bound` is met from there on upward, or downward for a time."""

    what: str
    key: str
    bound: float
    aim: float | None = None
    downward: bool = False

    def met(self, figures: Figures) -> bool | None:
        """None if it was not measured."""
        value = looked_up(figures, self.key)
        if value is None:
            return None
        return value <= self.bound if self.downward else value >= self.bound


def looked_up(figures: Figures, key: str) -> float | None:
    """None where it, or a part that it is in, was left out."""
    value: Any = figures
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) else None
