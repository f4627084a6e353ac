"""Lots: the points of one issuing brand with one expiry, and the calendar that keeps them few.

A lot's expiry day is a month's last day in the coalition's fixed time zone, in days since 1970-01-01; 0 = never expires.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.values.calendar import NEVER, SECONDS_PER_DAY, first_day, local_day, month_end, year_and_month
from gateway.values.ids import LotId
from gateway.values.points import Points

GRACE_DAYS = 30
MAX_BRAND_ID = 2**32 - 1
MAX_EXPIRY_DAY = 2**32 - 1
MAX_POINTS = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Line:
    """Some points of one lot."""

    brand_id: int
    expiry_day: int
    points: Points

    @property
    def lot_id(self) -> LotId:
        return LotId(self.brand_id << 32 | self.expiry_day)


def lot_id(brand_id: int, expiry_day: int) -> LotId:
    """The ERC-1155 id of a lot."""
    if not 0 < brand_id <= MAX_BRAND_ID:
        raise ValueError(f"brand id {brand_id} is not a whole number from 1 to 2^32 - 1")
    if not 0 <= expiry_day <= MAX_EXPIRY_DAY:
        raise ValueError(f"expiry day {expiry_day} is not a whole number from 0 to 2^32 - 1")
    return LotId(brand_id << 32 | expiry_day)


def split_lot_id(lot: LotId) -> tuple[int, int]:
    """(brand id, expiry day) of a lot id."""
    brand_id, expiry_day = lot >> 32, lot & 0xFFFFFFFF
    if not 0 < brand_id <= MAX_BRAND_ID:
        raise ValueError(f"{lot} is no lot id")
    return brand_id, expiry_day


def lot_key_order(accepting_brand: int) -> Callable[[LotId], tuple[bool, int, bool, int]]:
    """Sort key for the order of spending: nearest expiry first (never = last), then the accepting brand's own, then the lower id."""

    def key(lot: LotId) -> tuple[bool, int, bool, int]:
        brand_id, expiry_day = split_lot_id(lot)
        return expiry_day == NEVER, expiry_day, brand_id != accepting_brand, lot

    return key


def is_expired(expiry_day: int, timestamp: int, utc_offset_seconds: int) -> bool:
    """True from 24:00 local time of the expiry day on."""
    return expiry_day != NEVER and timestamp + utc_offset_seconds >= (expiry_day + 1) * SECONDS_PER_DAY


def expiry_day_for(timestamp: int, utc_offset_seconds: int, validity_months: int) -> int:
    """The expiry day of points issued at `timestamp`: the month end `validity_months` months later; 0 months = never."""
    if validity_months < 0:
        raise ValueError("validity cannot be negative")
    if validity_months == 0:
        return NEVER
    year, month = year_and_month(local_day(timestamp, utc_offset_seconds))
    return first_day(year, month + validity_months + 1) - 1


def grace_expiry_day(timestamp: int, utc_offset_seconds: int) -> int:
    """The expiry day of the lot that a point refund into an expired lot goes to."""
    return month_end(local_day(timestamp, utc_offset_seconds) + GRACE_DAYS)
