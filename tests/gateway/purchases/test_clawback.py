"""Clawbacks by the cumulative floor: pieces sum to the whole, in whatever order the refunds come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.purchases.clawback import points_due
from gateway.values.errors import Invalid, WrongState


@given(some.integers(0, 10**6), some.lists(some.integers(1, 10**6), min_size=1, max_size=12))
def test_refunds_of_the_whole_payment_take_back_every_point(points: int, pieces: list[int]) -> None:
    paid = sum(pieces)
    refunded = taken = 0
    for piece in pieces:
        due = points_due(points, paid, refunded, piece, taken)
        assert due >= 0
        refunded, taken = refunded + piece, taken + due
        assert taken == points * refunded // paid
    assert taken == points


def test_a_refund_above_what_was_paid_is_refused() -> None:
    assert points_due(10, 100, 60, 40, 6) == 4
    with pytest.raises(WrongState, match="exceed"):
        points_due(10, 100, 60, 41, 6)
    with pytest.raises(WrongState, match="exceed"):
        points_due(0, 0, 0, 1, 0)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_is_positive(amount: int) -> None:
    with pytest.raises(Invalid):
        points_due(10, 100, 0, amount, 0)


def test_points_that_never_came_are_not_taken_back() -> None:
    assert points_due(0, 100, 50, 50, 5) == 0
