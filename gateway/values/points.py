"""Points: whole numbers, never mixed with money."""

from __future__ import annotations

from typing import NewType

Points = NewType("Points", int)

MAX_POINTS_PER_ENTRY = Points(10**12)
MOST_POINTS_KEPT = Points(2**63 - 1)
"""What SQL holds; what was refused may name more."""
