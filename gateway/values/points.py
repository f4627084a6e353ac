"""Points: whole numbers, never mixed with money."""

from __future__ import annotations

from typing import NewType

Points = NewType("Points", int)

MAX_POINTS_PER_ENTRY = Points(10**12)
