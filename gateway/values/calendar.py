"""The coalition's calendar in whole days since 1970-01-01, and how moments and days are written for readers: ISO 8601, moments in UTC."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Self

SECONDS_PER_DAY = 86_400
NEVER = 0  # the expiry day of what does not expire


class SandboxTime(int):
    """Unix seconds in a sandbox, whose time is simulated: its ledger's last block has it."""

    _utc_offset_seconds: int

    def __new__(cls, unix_seconds: int, utc_offset_seconds: int) -> Self:
        made = super().__new__(cls, unix_seconds)
        made._utc_offset_seconds = utc_offset_seconds
        return made

    def __reduce__(self) -> tuple[type[Self], tuple[int, int]]:
        """For copies."""
        return type(self), (int(self), self._utc_offset_seconds)

    @property
    def day(self) -> str:
        """The coalition's calendar day."""
        return moment_in_words(self + self._utc_offset_seconds).partition("T")[0]


def wall_clock() -> int:
    """Unix seconds."""
    return int(time.time())


def moment(unix_seconds: int) -> str:
    """1489536000 -> 2017-03-15T00:00:00Z."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_in_words(unix_seconds: int) -> str:
    """For a refusal: a caller may name a moment that no calendar has."""
    try:
        return moment(unix_seconds)
    except (ValueError, OverflowError, OSError):
        return "a day after 9999-12-31"


def it_is(now: int) -> str:
    """What time it is by the clock that rules go by, for a refusal's words: who forgets that a sandbox has its own is told."""
    if isinstance(now, SandboxTime):
        return f"the sandbox's day is {now.day} (its clock stands at {moment_in_words(now)} and goes on with its ledger's blocks)"
    return f"it is {moment_in_words(now)}"


def moment_or_none(unix_seconds: int | None) -> str | None:
    return None if unix_seconds is None else moment(unix_seconds)


def expiry_date(expiry_day: int) -> str | None:
    """The last day on which a lot can be used; None = never expires (or so far away that no calendar names it)."""
    if expiry_day == NEVER:
        return None
    try:
        return day_text(expiry_day)
    except OverflowError:
        return None


def day_number(day: date) -> int:
    """Days since 1970-01-01: the other way round."""
    return (day - date(1970, 1, 1)).days


def day_text(day: int) -> str:
    """17287 -> 2017-05-01."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def local_day(timestamp: int, utc_offset_seconds: int) -> int:
    """The coalition's calendar day at a moment, in days since 1970-01-01."""
    return (timestamp + utc_offset_seconds) // SECONDS_PER_DAY


def month_end(day: int) -> int:
    """The last day of the month that `day` is in."""
    year, month = year_and_month(day)
    return first_day(year, month + 1) - 1


def is_month_end(day: int) -> bool:
    return month_end(day) == day


def year_and_month(day: int) -> tuple[int, int]:
    """Proleptic Gregorian year and month (1–12); years begin in March so that the leap day comes last."""
    days = day + 719_468
    era, day_of_era = divmod(days, 146_097)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    return era * 400 + year_of_era + (month <= 2), month


def first_day(year: int, month: int) -> int:
    """Day number of the first of a month; `month` may exceed 12."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    shifted_year = year - (month <= 2)
    shifted_month = month - 3 if month > 2 else month + 9
    era, year_of_era = divmod(shifted_year, 400)
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + (153 * shifted_month + 2) // 5
    return era * 146_097 + day_of_era - 719_468
