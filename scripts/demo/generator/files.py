"""Writes the provider files of every brand, and the answer file that only the scorer reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.demo.generator import own_layouts, stripe_report
from scripts.demo.generator.actuals import PaidSale, PaymentRefund
from scripts.demo.generator.own_layouts import DELI, DRUGSTORE, OwnLayout
from scripts.demo.generator.periods import Periods
from scripts.demo.generator.planning import GRACE_DAYS, KINDS, LATE_AFTER_DAYS, Plan
from scripts.demo.generator.records import BuiltRecords, build_records
from scripts.demo.generator.stripe_report import FUEL, GROCER, StripeLayout

LAYOUTS: dict[str, StripeLayout | OwnLayout] = {"grocer": GROCER, "drugstore": DRUGSTORE, "fuel": FUEL, "deli": DELI}
ANSWERS = "answers.json"


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """The files of each brand in the order in which they came, and the answer file."""

    by_brand: dict[str, tuple[Path, ...]]
    answers: Path


def write_files(
    plan: Plan, sales: Iterable[PaidSale], refunds: Iterable[PaymentRefund], directory: Path, utc_offset_seconds: int
) -> WrittenFiles:
    """Writes `directory`/<brand>/*.csv and `directory`/answers.json; the same input writes the same bytes, in whatever order it comes."""
    periods = Periods(plan.first_day, plan.cut_off)
    all_refunds = sorted(refunds, key=lambda refund: refund.refund_id)
    all_sales = sorted(sales, key=lambda sale: sale.payment_id)
    by_brand: dict[str, tuple[Path, ...]] = {}
    defects: list[dict[str, Any]] = []
    for brand, layout in LAYOUTS.items():
        built = build_records(
            plan,
            [sale for sale in all_sales if sale.brand == brand],
            [refund for refund in all_refunds if refund.brand == brand],
        )
        texts = _texts(built, layout, plan.seed, periods, utc_offset_seconds)
        by_brand[brand] = tuple(_write(directory / brand, number, text, periods) for number, text in enumerate(texts))
        defects += _answers(built, layout, plan.seed)
    answers = directory / ANSWERS
    answers.write_text(json.dumps(_answer_file(plan, defects), indent=1) + "\n", encoding="utf-8")
    return WrittenFiles(by_brand, answers)


def _texts(built: BuiltRecords, layout: StripeLayout | OwnLayout, seed: int, periods: Periods, utc_offset_seconds: int) -> list[str]:
    if isinstance(layout, StripeLayout):
        return stripe_report.file_texts(built, layout, seed, periods, utc_offset_seconds)
    return own_layouts.file_texts(built, layout, seed, periods)


def _write(folder: Path, number: int, text: str, periods: Periods) -> Path:
    start, end = periods.days_of(number)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{folder.name}_{start}_{end}.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def _answers(built: BuiltRecords, layout: StripeLayout | OwnLayout, seed: int) -> list[dict[str, Any]]:
    identify = stripe_report.record_id if isinstance(layout, StripeLayout) else layout.record_id
    ids = {record.key: identify(seed, record) for record in built.records}
    return [
        {
            "brand": one.brand,
            "payment_id": one.payment_id,
            "label": one.label,
            "kinds": {kind: [ids[key] for key in keys] for kind, keys in one.kinds.items()},
        }
        for one in built.planted
    ]


def _answer_file(plan: Plan, defects: list[dict[str, Any]]) -> dict[str, Any]:
    counts = Counter(kind for defect in defects for kind in defect["kinds"])
    return {
        "seed": plan.seed,
        "cut_off": str(plan.cut_off),
        "late_after_days": LATE_AFTER_DAYS,
        "grace_days": GRACE_DAYS,
        "counts": {kind: counts[kind] for kind in KINDS},
        "defects": defects,
    }
