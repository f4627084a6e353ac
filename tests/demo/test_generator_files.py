"""The provider files: their layouts, what the defects look like in them, and that nothing else is wrong with them."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scripts.demo.generator.actuals import PaidSale, PaymentRefund
from scripts.demo.generator.files import WrittenFiles, write_files
from scripts.demo.generator.planning import GRACE_DAYS, KINDS, LATE_AFTER_DAYS, Plan
from scripts.demo.sales import load_reduced_sales, load_sales
from tests.demo.paid_sales import UTC_OFFSET_SECONDS, plan_of, walk


@dataclass(frozen=True)
class Row:
    """A charge or refund as anybody may read it from the files: signed cents, local time of posting."""

    record_id: str
    payment_id: str
    amount_minor: int
    posted_at: datetime
    file: int


@dataclass(frozen=True)
class Run:
    plan: Plan
    paid: dict[str, PaidSale]
    refunds: list[PaymentRefund]
    written: WrittenFiles
    rows: dict[str, list[Row]]
    answers: dict[str, Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    extract = load_sales()
    plan = plan_of(extract)
    paid, refunds = walk(extract, plan)
    written = write_files(plan, paid, refunds, tmp_path_factory.mktemp("files"), UTC_OFFSET_SECONDS)
    rows: dict[str, list[Row]] = defaultdict(list)
    for brand, paths in written.by_brand.items():
        for number, path in enumerate(paths):
            for row in _READERS[brand](path, number):
                rows[row.payment_id].append(row)
    return Run(plan, {sale.payment_id: sale for sale in paid}, refunds, written, rows, json.loads(written.answers.read_text()))


def test_the_same_input_writes_the_same_bytes_in_whatever_order_it_comes(tmp_path: Path) -> None:
    extract = load_reduced_sales()
    plan = plan_of(extract)
    paid, refunds = walk(extract, plan)
    one = write_files(plan, paid, refunds, tmp_path / "one", UTC_OFFSET_SECONDS)
    other = write_files(plan, paid[::-1], refunds[::-1], tmp_path / "other", UTC_OFFSET_SECONDS)
    assert [path.read_bytes() for path in _paths(one)] == [path.read_bytes() for path in _paths(other)]


def test_every_brand_has_several_files(run: Run) -> None:
    assert {len(paths) for paths in run.written.by_brand.values()} == {4}


def test_at_least_twenty_of_every_kind_are_left_after_payments_with_points(run: Run) -> None:
    single = Counter(next(iter(defect["kinds"])) for defect in run.answers["defects"] if defect["label"] is None)
    assert all(single[kind] >= 20 for kind in KINDS)
    assert run.answers["counts"] == dict(Counter(kind for defect in run.answers["defects"] for kind in defect["kinds"]))


def test_what_was_paid_with_points_alone_has_no_record_and_no_defect(run: Run) -> None:
    free = {payment_id for payment_id, sale in run.paid.items() if sale.money_minor == 0}
    assert len(free) > 100
    assert not free & run.rows.keys()
    assert not free & {defect["payment_id"] for defect in run.answers["defects"]}


def test_a_planted_missing_record_is_in_no_file(run: Run) -> None:
    missing = _planted(run, "missing")
    assert missing
    assert all(payment_id not in run.rows and ids == [] for payment_id, ids in missing.items())


def test_a_planted_late_record_is_late_and_in_the_files_before_the_cut_off(run: Run) -> None:
    for payment_id, ids in _planted(run, "late").items():
        (charge,) = _charges(run, payment_id)
        assert charge.record_id == ids[0]
        assert charge.posted_at.date() - run.paid[payment_id].business_date > timedelta(days=LATE_AFTER_DAYS)


def test_a_planted_double_has_the_same_provider_id_and_content_twice(run: Run) -> None:
    next_file = set()
    for payment_id, ids in _planted(run, "duplicated").items():
        one, other = (row for row in run.rows[payment_id] if row.record_id == ids[0])
        assert (one.amount_minor, one.posted_at) == (other.amount_minor, other.posted_at)
        next_file.add(one.file != other.file)
    assert next_file == {True, False}


def test_a_planted_wrong_amount_differs_from_the_money_paid(run: Run) -> None:
    for payment_id, ids in _planted(run, "wrong_amount").items():
        (charge,) = _charges(run, payment_id)
        assert charge.record_id == ids[0]
        assert 0 < charge.amount_minor != run.paid[payment_id].money_minor


def test_a_planted_untold_refund_is_in_the_files_and_was_never_told(run: Run) -> None:
    told = {refund.payment_id for refund in run.refunds}
    for payment_id, ids in _planted(run, "refund_not_clawed_back").items():
        refund = next(row for row in run.rows[payment_id] if row.amount_minor < 0)
        assert refund.record_id == ids[0]
        assert payment_id not in told
        assert refund.posted_at > _charges(run, payment_id)[0].posted_at
        assert -refund.amount_minor <= _charges(run, payment_id)[0].amount_minor


def test_apart_from_the_defects_the_files_say_what_happened(run: Run) -> None:
    """An unbiased reader finds nothing in them beyond the answer file: no accidental break of any kind."""
    planted = {(defect["payment_id"], kind) for defect in run.answers["defects"] for kind in defect["kinds"]}
    found = set()
    told = defaultdict(list)
    for refund in run.refunds:
        told[refund.payment_id].append(-refund.amount_minor)
    for payment_id, sale in run.paid.items():
        rows = run.rows.get(payment_id, [])
        ids = Counter(row.record_id for row in rows)
        once = {row.record_id: row for row in rows}.values()
        charges = [row for row in once if row.amount_minor > 0]
        untold = Counter(row.amount_minor for row in once if row.amount_minor < 0) - Counter(told[payment_id])
        kinds = {
            "missing": not charges and sale.money_minor and run.plan.cut_off - sale.business_date > timedelta(days=GRACE_DAYS),
            "late": any(row.posted_at.date() - sale.business_date > timedelta(days=LATE_AFTER_DAYS) for row in charges),
            "duplicated": max(ids.values(), default=0) > 1,
            "wrong_amount": any(row.amount_minor != sale.money_minor for row in charges),
            "refund_not_clawed_back": bool(untold),
        }
        found |= {(payment_id, kind) for kind, is_so in kinds.items() if is_so}
    assert run.rows.keys() <= run.paid.keys()
    assert found == planted


def test_nothing_is_posted_before_the_sale_or_after_the_cut_off(run: Run) -> None:
    for payment_id, rows in run.rows.items():
        assert all(row.posted_at.date() <= run.plan.cut_off for row in rows)
        assert all(row.posted_at >= run.paid[payment_id].sold_at.replace(second=0) for row in rows)


def test_some_rows_arrive_in_the_next_file(run: Run) -> None:
    days_per_file = 28
    for brand in run.written.by_brand:
        rows = [row for rows in run.rows.values() for row in rows if row.payment_id.startswith(brand)]
        delayed = [row for row in rows if (row.posted_at.date() - run.plan.first_day).days // days_per_file < row.file]
        assert 0 < len(delayed) < len(rows) // 10


def test_every_stripe_row_nets_and_every_payout_is_the_sum_of_its_parts(run: Run) -> None:
    for brand in ("grocer", "fuel"):
        for path in run.written.by_brand[brand]:
            sums: dict[str, Decimal] = defaultdict(Decimal)
            seen = set()
            for row in _table(path):
                assert Decimal(row["gross"]) - Decimal(row["fee"]) == Decimal(row["net"])
                if row["automatic_payout_id"] and row["balance_transaction_id"] not in seen and not _from_earlier_file(row, path):
                    sums[row["automatic_payout_id"]] += Decimal(row["net"])
                seen.add(row["balance_transaction_id"])
            assert len(sums) > 5
            assert set(sums.values()) == {Decimal(0)}


def test_refunds_in_the_own_layouts_follow_each_its_sign_rule(run: Run) -> None:
    drugstore = [row for path in run.written.by_brand["drugstore"] for row in _table(path, ";")]
    assert {row["Type"] for row in drugstore} == {"SALE", "REFUND"}
    assert not any(row["Amount"].startswith("-") for row in drugstore)
    assert all(bool(row["Refund Ref"]) == (row["Type"] == "REFUND") for row in drugstore)
    deli = [row for path in run.written.by_brand["deli"] for row in _table(path, "|")]
    assert any(row["cents"].startswith("-") for row in deli)


def test_more_points_than_the_price_are_refused() -> None:
    with pytest.raises(ValueError, match="101 of 100"):
        PaidSale("deli", "deli-1", "m", datetime(2017, 1, 2), "USD", 100, 101)  # noqa: DTZ001 - local by definition


def _planted(run: Run, kind: str) -> dict[str, list[str]]:
    return {defect["payment_id"]: defect["kinds"][kind] for defect in run.answers["defects"] if kind in defect["kinds"]}


def _charges(run: Run, payment_id: str) -> list[Row]:
    return [row for row in run.rows[payment_id] if row.amount_minor > 0]


def _paths(written: WrittenFiles) -> list[Path]:
    return [path for paths in written.by_brand.values() for path in paths] + [written.answers]


def _table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def _from_earlier_file(row: dict[str, str], path: Path) -> bool:
    effective = row.get("automatic_payout_effective_at") or row["automatic_payout_effective_at_utc"]
    return effective[:10] < path.stem.split("_")[1]


def _stripe(path: Path, number: int) -> list[Row]:
    rows = []
    for row in _table(path):
        if row["reporting_category"] != "payout":
            created = datetime.fromisoformat(row.get("created") or row["created_utc"]) + timedelta(seconds=UTC_OFFSET_SECONDS)
            cents = int(Decimal(row["gross"]) * 100)
            rows.append(Row(row["balance_transaction_id"], row["payment_metadata[order_reference]"], cents, created, number))
    return rows


def _drugstore(path: Path, number: int) -> list[Row]:
    rows = []
    for row in _table(path, ";"):
        cents = int(row["Amount"].replace(",", "")) * (1 if row["Type"] == "SALE" else -1)
        booked = datetime.strptime(row["Booked"], "%d.%m.%Y %H:%M:%S")  # noqa: DTZ007 - local by definition
        rows.append(Row(row["Transaction No"], row["Order Ref"], cents, booked, number))
    return rows


def _deli(path: Path, number: int) -> list[Row]:
    rows = []
    for row in _table(path, "|"):
        posted = datetime.strptime(row["posted"], "%m/%d/%Y %H:%M")  # noqa: DTZ007 - local by definition
        rows.append(Row(row["txn_id"], row["receipt"], int(row["cents"]), posted, number))
    return rows


_READERS = {"grocer": _stripe, "fuel": _stripe, "drugstore": _drugstore, "deli": _deli}
