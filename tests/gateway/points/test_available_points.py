"""What a member can spend: unexpired, unreserved, not promised to anyone else; nearest expiry first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.ledger.lots import lot_id
from gateway.points.holding import Holding, available_at_once, available_points, lines_for
from gateway.values.errors import NotEnoughPoints

DAY = 86_400
lots = some.builds(lot_id, some.integers(1, 5), some.sampled_from([0, 10, 20, 30, 40]))
holdings = some.builds(Holding, some.dictionaries(lots, some.integers(1, 1_000), max_size=25), some.integers(0, 3_000))


def test_a_lot_is_spent_until_the_end_of_its_last_local_day_and_not_after() -> None:
    holding = Holding({lot_id(1, 10): 5, lot_id(1, 0): 7}, 0)
    last_second = 11 * DAY - 1
    assert available_points(holding, 1, last_second, 0) == 12
    assert available_points(holding, 1, last_second + 1, 0) == 7
    assert available_points(holding, 1, last_second - 3_600, 3_600) == 12
    assert available_points(holding, 1, last_second - 3_599, 3_600) == 7


def test_what_is_promised_is_not_available_and_never_below_zero() -> None:
    assert available_points(Holding({lot_id(1, 0): 7}, 3), 1, 0, 0) == 4
    assert available_points(Holding({lot_id(1, 0): 7}, 9), 1, 0, 0) == 0


@given(holdings, some.integers(1, 2_000), some.integers(1, 5), some.integers(0, 50 * DAY))
def test_lines_sum_to_the_points_or_the_redemption_is_refused(holding: Holding, points: int, brand_id: int, now: int) -> None:
    available = available_points(holding, brand_id, now, 0)
    if points > available:
        with pytest.raises(NotEnoughPoints):
            lines_for(holding, points, brand_id, now, 0)
    elif points <= available_at_once(holding, brand_id, now, 0):
        lines = lines_for(holding, points, brand_id, now, 0)
        assert sum(line.points for line in lines) == points
        assert all(line.points <= holding.unreserved[line.lot_id] for line in lines)
        expiries = [line.expiry_day or 10**9 for line in lines]
        assert expiries == sorted(expiries), "nearest expiry first, never last"


@given(holdings, some.integers(1, 5), some.integers(0, 50 * DAY))
def test_what_is_available_at_once_fits_one_entry(holding: Holding, brand_id: int, now: int) -> None:
    at_once = available_at_once(holding, brand_id, now, 0)
    assert at_once <= available_points(holding, brand_id, now, 0)
    if at_once:
        assert len(lines_for(holding, at_once, brand_id, now, 0)) <= 16
