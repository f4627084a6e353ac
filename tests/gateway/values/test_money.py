"""Money and ratios: whole numbers only, rounding in the stated direction, currencies apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.values.money import Money, Ratio

ratios = some.builds(Ratio, some.integers(1, 10**6), some.integers(1, 10**6))


@given(ratios, some.integers(0, 10**12))
def test_worth_and_remainder_make_up_the_whole(ratio: Ratio, points: int) -> None:
    assert ratio.minor_for(points) * ratio.denominator + ratio.remainder_for(points) == points * ratio.numerator
    assert 0 <= ratio.remainder_for(points) < ratio.denominator


@given(ratios, some.integers(1, 10**12))
def test_the_points_that_cover_an_amount_are_enough_and_not_one_too_many(ratio: Ratio, amount_minor: int) -> None:
    points = ratio.points_for(amount_minor)
    assert ratio.minor_for(points) >= amount_minor
    assert ratio.minor_for(points - 1) < amount_minor


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_a_ratio_is_positive(numerator: int, denominator: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Ratio(numerator, denominator)


def test_money_adds_within_a_currency_and_never_across() -> None:
    assert Money(5, "USD") + Money(6, "USD") - Money(1, "USD") == Money(10, "USD")
    with pytest.raises(ValueError, match="EUR"):
        Money(5, "USD") + Money(6, "EUR")
    with pytest.raises(ValueError, match="EUR"):
        Money(5, "USD") - Money(6, "EUR")
