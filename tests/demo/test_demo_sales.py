"""The extract that the project carries, and the parts of it that are loaded."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from scripts.demo.sales import BRANDS, EXTRACT, load_reduced_sales, load_sales

ROOT = Path(__file__).resolve().parents[2]


def test_the_extract_is_small_but_large_enough() -> None:
    extract = load_sales()
    assert EXTRACT.stat().st_size < 3_000_000
    assert extract.days == 13 * 7
    assert extract.first_day.weekday() == 0
    assert len({sale.household for sale in extract.sales}) == extract.households >= 250
    assert 6_000 <= len(extract.sales) <= 9_000


def test_every_household_buys_at_every_brand() -> None:
    bought = {(sale.household, sale.brand) for sale in load_sales().sales}
    assert len(bought) == 300 * len(BRANDS)


def test_a_payment_id_occurs_once_and_every_amount_is_positive() -> None:
    sales = load_sales().sales
    assert max(Counter(sale.payment_id for sale in sales).values()) == 1
    assert all(line.amount_minor > 0 and line.quantity > 0 for sale in sales for line in sale.lines)
    assert all(sale.gross_minor == sum(line.amount_minor for line in sale.lines) > 0 for sale in sales)


def test_a_part_of_the_extract_holds_nothing_beyond_its_households_and_days() -> None:
    part = load_sales(households=10, days=7)
    assert {sale.household for sale in part.sales} <= set(range(10))
    assert {sale.business_date for sale in part.sales} <= set(part.by_day)
    assert len(part.by_day) == 7
    assert sum(len(sales) for sales in part.by_day.values()) == len(part.sales)


def test_the_reduced_extract_still_sells_at_every_brand_every_week() -> None:
    extract = load_reduced_sales()
    weeks = {(sale.brand, (sale.business_date - extract.first_day).days // 7) for sale in extract.sales}
    assert len(weeks) == len(BRANDS) * extract.days // 7


def test_a_sale_carries_the_offset_it_is_asked_for() -> None:
    sale = load_sales(days=1).sales[0]
    assert sale.occurred_at(-5 * 3600).isoformat() == sale.sold_at.isoformat() + "-05:00"


@pytest.mark.deep
def test_rebuilding_the_extract_gives_the_same_bytes(tmp_path: Path) -> None:
    output = tmp_path / "rebuilt.gz"
    subprocess.run([sys.executable, str(ROOT / "scripts" / "make_demo_data.py"), "--output", str(output)], check=True)
    assert output.read_bytes() == EXTRACT.read_bytes()
