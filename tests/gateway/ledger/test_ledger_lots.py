"""Lots and their calendar: against Python's own calendar, and the order in which points are spent."""

from __future__ import annotations

import calendar
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.lot_choice import LotsFallShort, choose_lots
from gateway.ledger.lots import Line, expiry_day_for, grace_expiry_day, is_expired, lot_id, split_lot_id
from gateway.values.calendar import SECONDS_PER_DAY, is_month_end, month_end

EPOCH = date(1970, 1, 1)
HOUR = 3_600


def day_number(day: date) -> int:
    return (day - EPOCH).days


@given(st.dates(date(1970, 1, 1), date(9999, 11, 30)))
def test_a_month_ends_where_the_calendar_says(day: date) -> None:
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
    assert month_end(day_number(day)) == day_number(last)
    assert is_month_end(day_number(day)) == (day == last)


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_lot_id_splits_into_what_it_was_made_of(brand: int, expiry_day: int) -> None:
    assert split_lot_id(lot_id(brand, expiry_day)) == (brand, expiry_day)


@pytest.mark.parametrize(("brand", "expiry_day"), [(0, 1), (2**32, 1), (-1, 1), (1, -1), (1, 2**32)])
def test_an_impossible_lot_is_refused(brand: int, expiry_day: int) -> None:
    with pytest.raises(ValueError, match="whole number"):
        lot_id(brand, expiry_day)


def test_a_number_without_a_brand_is_no_lot_id() -> None:
    with pytest.raises(ValueError, match="no lot id"):
        split_lot_id(20_000)


def test_a_lot_expires_at_local_midnight_after_its_last_day() -> None:
    midnight = 101 * SECONDS_PER_DAY - 2 * HOUR
    assert not is_expired(100, midnight - 1, 2 * HOUR)
    assert is_expired(100, midnight, 2 * HOUR)
    assert not is_expired(100, midnight, -2 * HOUR)
    assert not is_expired(0, 2**40, 0), "0 never expires"


def test_validity_counts_months_from_the_local_month() -> None:
    last_hour_of_january = day_number(date(2026, 2, 1)) * SECONDS_PER_DAY - HOUR
    assert expiry_day_for(last_hour_of_january, 0, 1) == day_number(date(2026, 2, 28))
    assert expiry_day_for(last_hour_of_january, HOUR, 1) == day_number(date(2026, 3, 31))
    assert expiry_day_for(last_hour_of_january, 0, 25) == day_number(date(2028, 2, 29))
    assert expiry_day_for(last_hour_of_january, 0, 11) == day_number(date(2026, 12, 31))
    assert expiry_day_for(last_hour_of_january, 0, 0) == 0
    with pytest.raises(ValueError, match="negative"):
        expiry_day_for(last_hour_of_january, 0, -1)


def test_a_grace_lot_ends_on_the_month_end_thirty_days_on_or_later() -> None:
    assert grace_expiry_day(day_number(date(2026, 1, 1)) * SECONDS_PER_DAY, 0) == day_number(date(2026, 1, 31))
    assert grace_expiry_day(day_number(date(2026, 1, 2)) * SECONDS_PER_DAY, 0) == day_number(date(2026, 2, 28))


def test_the_nearest_expiry_is_spent_first_then_the_own_brands_then_the_lower_id() -> None:
    near, far = day_number(date(2026, 3, 31)), day_number(date(2026, 4, 30))
    now = day_number(date(2026, 3, 1)) * SECONDS_PER_DAY
    available = {lot_id(2, 0): 9, lot_id(1, far): 9, lot_id(1, near): 9, lot_id(2, near): 9, lot_id(3, near): 9, lot_id(3, 0): 0}
    assert choose_lots(available, 41, 3, now, 0) == [
        Line(3, near, 9),
        Line(1, near, 9),
        Line(2, near, 9),
        Line(1, far, 9),
        Line(2, 0, 5),
    ]


def test_expired_lots_are_passed_over_and_what_is_missing_is_named() -> None:
    day = day_number(date(2026, 3, 31))
    available = {lot_id(1, day): 50, lot_id(2, 0): 10}
    assert choose_lots(available, 10, 1, (day + 1) * SECONDS_PER_DAY, 0) == [Line(2, 0, 10)]
    with pytest.raises(LotsFallShort) as raised:
        choose_lots(available, 11, 1, (day + 1) * SECONDS_PER_DAY, 0)
    assert (raised.value.asked, raised.value.usable) == (11, 10)


@pytest.mark.parametrize("points", [0, -1])
def test_nothing_is_no_amount_to_spend(points: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        choose_lots({}, points, 1, 0, 0)
