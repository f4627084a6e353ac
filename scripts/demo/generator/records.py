"""Turns what happened into the provider's records, with the planned defects, and notes what was planted under which record id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Literal

from scripts.demo.generator.actuals import PaidSale, PaymentRefund
from scripts.demo.generator.planning import (
    DUPLICATED,
    LATE,
    LATE_AFTER_DAYS,
    LATEST_LATE_DAYS,
    MISSING,
    REFUND_NOT_CLAWED_BACK,
    WRONG_AMOUNT,
    Plan,
    PlannedDefect,
)

SMALLEST_MONEY_MINOR = 200
_ON_TIME_WEIGHTS = (70, 20, 8, 2)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """One line to be. `amount_minor` is never negative; `posted_at` is local. `key` is unique among the coalition's records."""

    brand: str
    kind: Literal["charge", "refund"]
    key: str
    payment_id: str
    currency: str
    amount_minor: int
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class Planted:
    """A defect that really is in the files: each kind with the keys of the records that show it (none where one is missing)."""

    brand: str
    payment_id: str
    label: str | None
    kinds: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class BuiltRecords:
    """In the order of posting; `repeated` are the keys of the records that occur twice."""

    records: tuple[ProviderRecord, ...]
    repeated: frozenset[str]
    planted: tuple[Planted, ...]


def build_records(plan: Plan, sales: Iterable[PaidSale], refunds: Iterable[PaymentRefund]) -> BuiltRecords:
    """The records posted up to the cut-off. What was paid with points alone, or nearly, has lost its planned defect."""
    told: dict[str, list[PaymentRefund]] = {}
    for refund in refunds:
        told.setdefault(refund.payment_id, []).append(refund)
    records: list[ProviderRecord] = []
    planted: list[Planted] = []
    for sale in sales:
        defect = plan.defects.get(sale.payment_id) if sale.money_minor >= SMALLEST_MONEY_MINOR else None
        made = [one for one in _records_of(plan, sale, told.get(sale.payment_id, []), defect) if one.posted_at.date() <= plan.cut_off]
        records += made
        if defect is not None:
            planted.append(_planted(defect, made))
    repeated = (key for one in planted for key in one.kinds.get(DUPLICATED, ()))
    records.sort(key=lambda record: (record.posted_at, record.key))
    return BuiltRecords(tuple(records), frozenset(repeated), tuple(planted))


def provider_id(seed: int, purpose: str, key: str, length: int, alphabet: str = _ALPHABET) -> str:
    """An id as providers make them: without meaning, the same for the same seed, purpose and key."""
    number = int.from_bytes(hashlib.sha512(f"{seed}/{purpose}/{key}".encode()).digest())
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    return "".join(digits)


def _records_of(plan: Plan, sale: PaidSale, told: list[PaymentRefund], defect: PlannedDefect | None) -> Iterator[ProviderRecord]:
    kinds = defect.kinds if defect else ()
    if sale.money_minor == 0 or MISSING in kinds:
        return
    random = Random(f"{plan.seed}/records/{sale.payment_id}")  # noqa: S311 - reproducible, not secret
    posted_at = _late(random, sale, plan.cut_off) if LATE in kinds else _on_time(random, sale.sold_at)
    amount_minor = _wrong_amount(random, sale.money_minor) if WRONG_AMOUNT in kinds else sale.money_minor
    charge = ProviderRecord(sale.brand, "charge", sale.payment_id, sale.payment_id, sale.currency, amount_minor, posted_at)
    yield charge
    refunds = [(refund.refund_id, refund.amount_minor, refund.refunded_at) for refund in told]
    if defect and defect.untold:
        untold_minor = min(defect.untold.amount_minor(sale.money_minor), amount_minor)
        refunds.append((defect.untold.refund_id, untold_minor, defect.untold.at))
    for refund_id, refunded_minor, refunded_at in refunds:
        untold = defect is not None and defect.untold is not None and refund_id == defect.untold.refund_id
        at = refunded_at if untold else _on_time(random, refunded_at)
        after = max(at, posted_at + timedelta(hours=1))
        yield replace(charge, kind="refund", key=refund_id, amount_minor=refunded_minor, posted_at=after)


def _planted(defect: PlannedDefect, made: list[ProviderRecord]) -> Planted:
    charge = tuple(one.key for one in made if one.kind == "charge")
    refund = tuple(one.key for one in made if one.kind == "refund")
    shown_by = {kind: refund if kind == REFUND_NOT_CLAWED_BACK or defect.on_refund else charge for kind in defect.kinds}
    for kind, keys in shown_by.items():
        assert len(keys) == (0 if kind == MISSING else 1), f"{defect} planted on {keys}"
    return Planted(defect.brand, defect.payment_id, defect.label, shown_by)


def _on_time(random: Random, at: datetime) -> datetime:
    """Posted within minutes as a rule, at most LATE_AFTER_DAYS days later."""
    days = random.choices(range(LATE_AFTER_DAYS + 1), weights=_ON_TIME_WEIGHTS)[0]
    if days:
        return _morning(random, at.date() + timedelta(days=days))
    return min(at + timedelta(seconds=random.randint(5, 900)), datetime.combine(at.date(), time(23, 59, 59)))


def _late(random: Random, sale: PaidSale, cut_off: date) -> datetime:
    latest = min(LATEST_LATE_DAYS, (cut_off - sale.business_date).days)
    return _morning(random, sale.business_date + timedelta(days=random.randint(LATE_AFTER_DAYS + 1, latest)))


def _morning(random: Random, day: date) -> datetime:
    """Between 8 and 13 o'clock: the same calendar day in UTC for any coalition from UTC-10 to UTC+8."""
    return datetime.combine(day, time(8)) + timedelta(seconds=random.randrange(5 * 3600))


def _wrong_amount(random: Random, money_minor: int) -> int:
    """An error as people make them: two digits swapped, one unit more or less, or a tip added."""
    error = random.choice((_digits_swapped, _one_unit_off, _tip_added))
    wrong = error(random, money_minor)
    return wrong if wrong not in (money_minor, 0) else money_minor + 100


def _digits_swapped(random: Random, money_minor: int) -> int:
    digits = list(str(money_minor))
    places = [place for place in range(len(digits) - 1) if digits[place] != digits[place + 1] and digits[place + 1] != "0"]
    if not places:
        return money_minor
    place = random.choice(places)
    digits[place], digits[place + 1] = digits[place + 1], digits[place]
    return int("".join(digits))


def _one_unit_off(random: Random, money_minor: int) -> int:
    return money_minor + random.choice((-100, 100))


def _tip_added(random: Random, money_minor: int) -> int:
    return money_minor + money_minor * random.choice((10, 15, 20)) // 100
