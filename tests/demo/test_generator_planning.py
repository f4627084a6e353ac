"""What the generator decides before the walk."""

from __future__ import annotations

import ast
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from scripts.demo.generator.planning import GRACE_DAYS, KINDS, MISSING, make_plan
from scripts.demo.sales import BRANDS, Extract, load_reduced_sales, load_sales
from tests.demo.paid_sales import plan_of

GENERATOR = Path(__file__).resolve().parents[2] / "scripts" / "demo" / "generator"


@pytest.fixture(scope="module")
def extract() -> Extract:
    return load_sales()


def test_the_generator_knows_nothing_of_the_gateway_or_the_node() -> None:
    sources = [*GENERATOR.glob("*.py"), GENERATOR.parent / "sales.py", GENERATOR.parent / "scorer.py"]
    assert len(sources) > 5
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] not in ("gateway", "node"), f"{source.name} imports {name}"
                assert not name.startswith("scripts.") or name.startswith(("scripts.demo.generator", "scripts.demo.sales")), name


def test_the_same_seed_plans_the_same_in_whatever_order_sales_come(extract: Extract) -> None:
    backwards = make_plan(reversed(extract.sales), 7, extract.first_day, extract.last_day)
    assert plan_of(extract) == backwards


def test_another_seed_plans_something_else(extract: Extract) -> None:
    assert plan_of(extract, 7).defects.keys() != plan_of(extract, 8).defects.keys()


@pytest.mark.parametrize("seed", range(5))
def test_there_are_plenty_of_every_kind_at_every_brand(extract: Extract, seed: int) -> None:
    defects = plan_of(extract, seed).defects.values()
    single = Counter(defect.kinds[0] for defect in defects if defect.label is None)
    assert all(single[kind] >= 28 for kind in KINDS)
    places = Counter((defect.brand, kind) for defect in defects for kind in defect.kinds)
    assert all(places[brand, kind] >= 5 for brand in BRANDS for kind in KINDS)


def test_a_payment_has_one_defect_or_a_labelled_compound(extract: Extract) -> None:
    compounds = [defect for defect in plan_of(extract).defects.values() if len(defect.kinds) > 1]
    assert compounds
    assert all(defect.label == "+".join(defect.kinds) for defect in compounds)


def test_nothing_is_planted_missing_that_could_still_arrive_in_time(extract: Extract) -> None:
    sold_on = {sale.payment_id: sale.business_date for sale in extract.sales}
    plan = plan_of(extract)
    missing = [defect for defect in plan.defects.values() if MISSING in defect.kinds]
    assert all(plan.cut_off - sold_on[defect.payment_id] > timedelta(days=GRACE_DAYS) for defect in missing)


def test_about_three_of_a_hundred_payments_are_refunded_after_the_sale_and_before_the_cut_off(extract: Extract) -> None:
    sold_at = {sale.payment_id: sale.sold_at for sale in extract.sales}
    plan = plan_of(extract)
    refunded = {refund.payment_id for refund in plan.refunds}
    assert len(extract.sales) * 2 // 100 < len(refunded) < len(extract.sales) * 4 // 100
    assert all(sold_at[refund.payment_id].date() < refund.at.date() <= plan.cut_off for refund in plan.refunds)
    assert [refund for day in extract.by_day for refund in plan.refunds_on(day)] == list(plan.refunds)


def test_refunds_in_parts_add_up_to_the_whole_and_never_exceed_it(extract: Extract) -> None:
    parts: dict[str, list[int]] = {}
    for refund in plan_of(extract).refunds:
        parts.setdefault(refund.payment_id, []).append(refund.amount_minor(1_237))
    assert any(len(amounts) == 2 and sum(amounts) == 1_237 for amounts in parts.values())
    assert any(len(amounts) == 1 and amounts[0] < 1_237 for amounts in parts.values())
    assert all(0 < sum(amounts) <= 1_237 for amounts in parts.values())


def test_a_told_refund_shares_a_payment_with_no_other_defect_than_its_own_double(extract: Extract) -> None:
    plan = plan_of(extract)
    shared = [plan.defects[refund.payment_id] for refund in plan.refunds if refund.payment_id in plan.defects]
    assert shared
    assert all(defect.on_refund and defect.kinds == ("duplicated",) for defect in shared)


def test_the_reduced_extract_has_some_of_every_kind() -> None:
    kinds = Counter(kind for defect in plan_of(load_reduced_sales()).defects.values() for kind in defect.kinds)
    assert all(2 <= kinds[kind] <= 6 for kind in KINDS)
