"""Decides before the walk which payments get a payment refund and which get which defect; the same seed plans the same.

One defect per payment, apart from labelled compounds. The plan does not know what will be paid with points, so it plans a margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import cycle
from random import Random

from scripts.demo.sales import Sale

LATE_AFTER_DAYS = 3
GRACE_DAYS = 3
LATEST_LATE_DAYS = 9
REFUND_DAYS = 14
MISSING = "missing"
LATE = "late"
DUPLICATED = "duplicated"
WRONG_AMOUNT = "wrong_amount"
REFUND_NOT_CLAWED_BACK = "refund_not_clawed_back"
KINDS = (MISSING, LATE, DUPLICATED, WRONG_AMOUNT, REFUND_NOT_CLAWED_BACK)
COMPOUNDS = ((LATE, WRONG_AMOUNT), (LATE, REFUND_NOT_CLAWED_BACK), (WRONG_AMOUNT, REFUND_NOT_CLAWED_BACK))

_SALES_PER_DEFECT = 250
_SALES_PER_COMPOUND = 1500
_REFUNDED_PERCENT = 3
_SMALLEST_GROSS_MINOR = 500


@dataclass(frozen=True, slots=True)
class PlannedRefund:
    """A payment refund of the share from `from_percent` to `to_percent` of the money paid; shares are cut by a cumulative floor."""

    brand: str
    refund_id: str
    payment_id: str
    at: datetime
    from_percent: int
    to_percent: int

    def amount_minor(self, money_minor: int) -> int:
        """What goes back of `money_minor`; 0 = nothing to refund."""
        return money_minor * self.to_percent // 100 - money_minor * self.from_percent // 100


@dataclass(frozen=True, slots=True)
class PlannedDefect:
    """What is wrong in the files about a payment. `untold` is the refund that the gateway never hears of.

    `on_refund`: it is the record of the payment's (told) refund that occurs twice.
    """

    brand: str
    payment_id: str
    kinds: tuple[str, ...]
    untold: PlannedRefund | None = None
    on_refund: bool = False

    @property
    def label(self) -> str | None:
        return "+".join(self.kinds) if len(self.kinds) > 1 else None


@dataclass(frozen=True)
class Plan:
    """All that is decided beforehand. `refunds` are the ones that brands tell the gateway, in the order of time."""

    seed: int
    first_day: date
    cut_off: date
    refunds: tuple[PlannedRefund, ...]
    defects: dict[str, PlannedDefect]

    @cached_property
    def _refunds_by_day(self) -> dict[date, list[PlannedRefund]]:
        found: dict[date, list[PlannedRefund]] = {}
        for refund in self.refunds:
            found.setdefault(refund.at.date(), []).append(refund)
        return found

    def refunds_on(self, day: date) -> Sequence[PlannedRefund]:
        """The payment refunds that brands make, and tell the gateway of, on that day."""
        return self._refunds_by_day.get(day, ())


def make_plan(sales: Iterable[Sale], seed: int, first_day: date, cut_off: date) -> Plan:
    """The plan for these sales at this cut-off; their order does not matter."""
    ordered = sorted(sales, key=lambda sale: sale.payment_id)
    draw = _Draw(ordered, Random(f"{seed}/plan"), cut_off)  # noqa: S311 - reproducible, not secret
    defects: dict[str, PlannedDefect] = {}
    for kinds, count in _quotas(len(ordered)):
        for sale in draw.take(count, _latest_day(kinds, cut_off)):
            defects[sale.payment_id] = PlannedDefect(sale.brand, sale.payment_id, kinds, draw.untold_refund(sale, kinds))
    refunds = [refund for sale in draw.sample(len(ordered) * _REFUNDED_PERCENT // 100) for refund in draw.told_refunds(sale)]
    told = sorted(refunds, key=lambda refund: (refund.at, refund.refund_id))
    for refund in _to_duplicate(told, len(ordered), cut_off):
        defects[refund.payment_id] = PlannedDefect(refund.brand, refund.payment_id, (DUPLICATED,), on_refund=True)
    return Plan(seed, first_day, cut_off, tuple(told), defects)


def _quotas(sales: int) -> Iterator[tuple[tuple[str, ...], int]]:
    for kind in KINDS:
        yield (kind,), max(3, sales // _SALES_PER_DEFECT)
    for compound in COMPOUNDS:
        yield compound, max(1, sales // _SALES_PER_COMPOUND)


def _latest_day(kinds: tuple[str, ...], cut_off: date) -> date:
    """The last business date at which such a defect can be in the files, and is beyond doubt, at the cut-off."""
    if REFUND_NOT_CLAWED_BACK in kinds:
        return cut_off - timedelta(days=LATEST_LATE_DAYS + 2)
    if MISSING in kinds:
        return cut_off - timedelta(days=GRACE_DAYS + 1)
    return cut_off - timedelta(days=LATE_AFTER_DAYS + 1)


def _to_duplicate(refunds: Sequence[PlannedRefund], sales: int, cut_off: date) -> Sequence[PlannedRefund]:
    """Some single refunds whose record is in the files for certain."""
    single = [one for one in refunds if one.refund_id.endswith("-R1") and one.to_percent == 100 and one.at.date() <= cut_off - timedelta(7)]
    return single[: max(1, sales // _SALES_PER_COMPOUND)]


class _Draw:
    """Takes sales off the pool, brand by brand in turn, so that every brand gets something of everything."""

    def __init__(self, ordered: list[Sale], random: Random, cut_off: date) -> None:
        self._random = random
        self._cut_off = cut_off
        self._pool: dict[str, list[Sale]] = {}
        for sale in random.sample(ordered, len(ordered)):
            if sale.gross_minor >= _SMALLEST_GROSS_MINOR:
                self._pool.setdefault(sale.brand, []).append(sale)
        self._brands = cycle(sorted(self._pool))

    def take(self, count: int, latest: date) -> list[Sale]:
        """Up to `count` sales of business dates up to `latest`."""
        taken: list[Sale] = []
        fruitless = 0
        while len(taken) < count and fruitless < len(self._pool):
            pool = self._pool[next(self._brands)]
            place = next((place for place, sale in enumerate(pool) if sale.business_date <= latest), None)
            fruitless = fruitless + 1 if place is None else 0
            if place is not None:
                taken.append(pool.pop(place))
        return taken

    def sample(self, count: int) -> list[Sale]:
        """`count` sales of all brands alike, by their number, made before the cut-off day."""
        left = [sale for brand in sorted(self._pool) for sale in self._pool[brand] if sale.business_date < self._cut_off]
        return self._random.sample(left, min(count, len(left)))

    def told_refunds(self, sale: Sale) -> list[PlannedRefund]:
        """One refund in full, one in part, or two in part that add up to the whole."""
        share = self._random.randint(15, 85)
        cuts = self._random.choices(([0, 100], [0, share], [0, share, 100]), weights=(3, 6, 1))[0]
        days = sorted(self._refund_day(sale, 1) for _ in cuts[1:])
        return [self._refund(sale, number, days[number - 1], *cuts[number - 1 : number + 1]) for number in range(1, len(cuts))]

    def untold_refund(self, sale: Sale, kinds: tuple[str, ...]) -> PlannedRefund | None:
        if REFUND_NOT_CLAWED_BACK not in kinds:
            return None
        after_days = (LATEST_LATE_DAYS if LATE in kinds else LATE_AFTER_DAYS) + 1
        share = self._random.choice((50, 60, 75, 100))
        return self._refund(sale, 1, self._refund_day(sale, after_days), 0, share)

    def _refund_day(self, sale: Sale, after_days: int) -> date:
        longest = min(REFUND_DAYS, (self._cut_off - sale.business_date).days - (after_days > 1))
        return sale.business_date + timedelta(days=self._random.randint(after_days, max(after_days, longest)))

    def _refund(self, sale: Sale, number: int, day: date, from_percent: int, to_percent: int) -> PlannedRefund:
        opening_hours = time(9 + number, self._random.randrange(60), self._random.randrange(60))
        at = datetime.combine(day, opening_hours)
        return PlannedRefund(sale.brand, f"{sale.payment_id}-R{number}", sale.payment_id, at, from_percent, to_percent)
