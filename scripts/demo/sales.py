"""The demo coalition's sales: the compact extract in scripts/demo/data, parsed once into frozen records."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path

EXTRACT = Path(__file__).resolve().parent / "data" / "sales_2017q1.jsonl.gz"
BRANDS = ("grocer", "drugstore", "fuel", "deli")
REDUCED_HOUSEHOLDS = 60
REDUCED_DAYS = 35


@dataclass(frozen=True, slots=True)
class SaleLine:
    """What one purchase holds of a category; `amount_minor` is paid by the household, discounts already off."""

    category: str
    quantity: int
    amount_minor: int
    retail_discount_minor: int
    coupon_minor: int
    coupon_match_minor: int


@dataclass(frozen=True)
class Sale:
    """One purchase at one brand. `household` counts from 0; `sold_at` is local and carries no offset."""

    brand: str
    payment_id: str
    household: int
    store: str
    sold_at: datetime
    lines: tuple[SaleLine, ...]

    @cached_property
    def gross_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def business_date(self) -> date:
        return self.sold_at.date()

    def occurred_at(self, utc_offset_seconds: int) -> datetime:
        """The moment of the sale with the coalition's offset."""
        return self.sold_at.replace(tzinfo=timezone(timedelta(seconds=utc_offset_seconds)))


@dataclass(frozen=True)
class Extract:
    """Sales in the order of time, over `days` days from `first_day`."""

    first_day: date
    days: int
    households: int
    currency: str
    sales: tuple[Sale, ...]

    @property
    def last_day(self) -> date:
        return self.first_day + timedelta(days=self.days - 1)

    @cached_property
    def by_day(self) -> dict[date, tuple[Sale, ...]]:
        """Every day of the extract, also one without sales."""
        found: dict[date, list[Sale]] = {self.first_day + timedelta(days=number): [] for number in range(self.days)}
        for sale in self.sales:
            found[sale.business_date].append(sale)
        return {day: tuple(sales) for day, sales in found.items()}


def extent(path: Path = EXTRACT) -> tuple[int, int]:
    """How many households and days the extract holds."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        header = json.loads(next(stream))
    return header["households"], header["days"]


def load_sales(households: int | None = None, days: int | None = None, path: Path = EXTRACT) -> Extract:
    """The extract, or the part of it with the first `households` households and the first `days` days."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        header = json.loads(next(stream))
        households = min(households or header["households"], header["households"])
        days = min(days or header["days"], header["days"])
        first_day = date.fromisoformat(header["first_day"])
        end = first_day + timedelta(days=days)
        sales = []
        for text in stream:
            sale = _parse(text)
            if sale.business_date >= end:
                break
            if sale.household < households:
                sales.append(sale)
    return Extract(first_day, days, households, header["currency"], tuple(sales))


def load_reduced_sales() -> Extract:
    """A part small enough for tests, in which every brand still sells every week."""
    return load_sales(REDUCED_HOUSEHOLDS, REDUCED_DAYS)


def _parse(text: str) -> Sale:
    brand, basket, household, store, sold_at, lines = json.loads(text)
    parsed = tuple(SaleLine(*line) for line in lines)
    return Sale(brand, f"{brand}-{basket}", household, str(store), datetime.fromisoformat(sold_at), parsed)
