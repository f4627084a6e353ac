"""Which file a record comes in: one file per four weeks, the last one cut at the cut-off; some rows arrive in the next file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from scripts.demo.generator.records import BuiltRecords, ProviderRecord

DAYS_PER_FILE = 28
_NEXT_FILE_SHARE = 0.3
_SAME_FILE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Periods:
    """The days that the files cover, numbered from 0."""

    first_day: date
    cut_off: date

    @property
    def count(self) -> int:
        return self.number_of(self.cut_off) + 1

    def number_of(self, day: date) -> int:
        return max(0, (min(day, self.cut_off) - self.first_day).days // DAYS_PER_FILE)

    def days_of(self, number: int) -> tuple[date, date]:
        start = self.first_day + timedelta(days=number * DAYS_PER_FILE)
        return start, min(start + timedelta(days=DAYS_PER_FILE - 1), self.cut_off)


def by_posting(record: ProviderRecord, periods: Periods, random: Random) -> int:
    """The file of the day of posting; some rows of a period's last two days miss the file and come in the next."""
    number = periods.number_of(record.posted_at.date())
    close_to_end = periods.days_of(number)[1] - record.posted_at.date() < timedelta(days=2)
    if close_to_end and number + 1 < periods.count and random.random() < _NEXT_FILE_SHARE:
        return number + 1
    return number


def with_repeats(
    placed: list[tuple[int, ProviderRecord]], built: BuiltRecords, periods: Periods, random: Random
) -> list[list[ProviderRecord]]:
    """The records of each file; a repeated one occurs again at the end of its file or of the next."""
    files: list[list[ProviderRecord]] = [[] for _ in range(periods.count)]
    repeats: list[tuple[int, ProviderRecord]] = []
    for number, record in placed:
        files[number].append(record)
        if record.key in built.repeated:
            same_file = number + 1 == periods.count or random.random() < _SAME_FILE_SHARE
            repeats.append((number if same_file else number + 1, record))
    for number, record in repeats:
        files[number].append(record)
    return files
