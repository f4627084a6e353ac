"""Money in minor units of one currency, and the integer ratios that turn points into money and back.

Points and money are different types; no float touches either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from gateway.values.points import Points

AmountMinor = NewType("AmountMinor", int)
"""Minor units (cents) of a currency that is said beside it."""

MAX_AMOUNT_MINOR = AmountMinor(10**15)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents); two currencies never meet in one sum."""

    amount_minor: AmountMinor
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(AmountMinor(self.amount_minor + other.amount_minor), self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(AmountMinor(self.amount_minor - other.amount_minor), self.currency)

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be put together")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Minor units per point as a fraction of whole numbers; 1/1 = one cent a point."""

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if self.numerator <= 0 or self.denominator <= 0:
            raise ValueError("a ratio has a positive numerator and denominator")

    def minor_for(self, points: int) -> AmountMinor:
        """What the points are worth, in whole minor units, rounded down."""
        return AmountMinor(points * self.numerator // self.denominator)

    def remainder_for(self, points: int) -> int:
        """What rounding down left over, in 1/denominator of a minor unit."""
        return points * self.numerator % self.denominator

    def points_for(self, amount_minor: int) -> Points:
        """The fewest points whose worth covers the amount (rounded up)."""
        return Points(-(-amount_minor * self.denominator // self.numerator))
