"""The register kept as a file: it grows under the signer, and is not trusted when it does anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.brand_signer.register_writer import RegisterWriter, refund_record, sale_record
from gateway.brand_signer.sales_register import DamagedRegister, FileRegister
from tests.gateway.brand_signer.brand_books import MEMBER, SECRET, SOLD_AT, Brand, issue, refusals

SALE = sale_record("p-1", str(MEMBER), SOLD_AT, 1_000, 100, 0)


def test_a_sale_that_the_till_adds_later_is_signed_then(brand: Brand) -> None:
    signer = brand.signer()
    assert refusals(signer, 1, [issue("p-1", 9)]) == [(0, "unknown_sale")]
    brand.sell("p-1", 1_000)
    assert refusals(signer, 1, [issue("p-1", 9)]) == []


def test_a_line_counts_once_its_end_is_there(tmp_path: Path) -> None:
    path = tmp_path / "sales.jsonl"
    line = json.dumps(SALE)
    path.write_text(line[:20])
    register = FileRegister(path, SECRET)
    register.refresh()
    assert register.sale("p-1") is None
    path.write_text(line + "\n")
    register.refresh()
    sale = register.sale("p-1")
    assert sale is not None
    assert (sale.paid_minor, sale.earn_base_minor(True), sale.earn_base_minor(False)) == (1_000, 1_000, 900)


def test_the_same_record_may_come_twice_but_not_with_other_content(tmp_path: Path) -> None:
    writer = RegisterWriter(tmp_path / "sales.jsonl")
    register = FileRegister(tmp_path / "sales.jsonl", SECRET)
    writer.append([SALE, SALE, refund_record("r-1", "p-1", 5), refund_record("r-1", "p-1", 5)])
    register.refresh()
    assert len(register.refunds("p-1")) == 1
    writer.append([refund_record("r-1", "p-1", 6)])
    with pytest.raises(DamagedRegister, match="line 5"):
        register.refresh()
    writer.close()


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"type":"gift"}',
        json.dumps({**SALE, "gross_minor": -1}),
        json.dumps({**SALE, "gross_minor": 1.5}),
        json.dumps({**SALE, "occurred_at": "2017-01-20T15:00:00"}),
        json.dumps({**SALE, "member_id": "0x12"}),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "sales.jsonl"
    path.write_text(json.dumps(SALE) + "\n" + line + "\n")
    with pytest.raises(DamagedRegister, match="line 2"):
        FileRegister(path, SECRET).refresh()


def test_a_register_that_shrinks_or_goes_away_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "sales.jsonl"
    path.write_text(json.dumps(SALE) + "\n")
    register = FileRegister(path, SECRET)
    register.refresh()
    path.write_text("")
    with pytest.raises(DamagedRegister, match="shorter"):
        register.refresh()
    path.unlink()
    with pytest.raises(DamagedRegister, match="gone"):
        register.refresh()


def test_a_till_that_died_inside_a_line_goes_on_with_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "sales.jsonl"
    path.write_text(json.dumps(SALE) + "\n" + '{"type":"sa')
    writer = RegisterWriter(path)
    writer.append([refund_record("r-1", "p-1", 5)])
    writer.close()
    register = FileRegister(path, SECRET)
    register.refresh()
    assert list(register.refunds("p-1")) == ["r-1"]
