"""The generator's files, read by the gateway's own readers and reconciled: what was planted is found, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta, timezone
from pathlib import Path

import pytest

from gateway.payments.formats.mapped_csv import read_mapped_csv
from gateway.payments.formats.stripe_payout_reconciliation import StripeOptions, read_stripe_report
from gateway.payments.mapping import column_mapping
from gateway.payments.record import ReadFile
from gateway.reconciliation.facts import ExpectedPayment, Facts, KeptRecord, ReportedRefund
from gateway.reconciliation.matching import reconcile
from scripts.demo.column_mappings import column_mapping_for
from scripts.demo.generator.actuals import PaidSale, PaymentRefund
from scripts.demo.generator.files import write_files
from scripts.demo.sales import Extract, load_reduced_sales, load_sales
from scripts.demo.scorer import FoundBreak, read_answers, score
from tests.demo.paid_sales import UTC_OFFSET_SECONDS, plan_of, walk


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("extract", [load_sales(), load_reduced_sales()], ids=["full", "reduced"])
def test_the_reconciliation_finds_what_was_planted_and_nothing_else(extract: Extract, seed: int, tmp_path: Path) -> None:
    plan = plan_of(extract, seed)
    sales, refunds = walk(extract, plan)
    written = write_files(plan, sales, refunds, tmp_path, UTC_OFFSET_SECONDS)
    found = []
    for brand, paths in written.by_brand.items():
        records = [record for path in paths for record in _read(brand, path).records]
        kept = tuple(KeptRecord(number, record) for number, record in enumerate(records))
        facts = Facts(plan.cut_off, tuple(_expected(sales, brand)), tuple(_reported(refunds, brand)), kept)
        found += [FoundBreak(one.kind.value, one.payment_id, one.provider_record_id) for one in reconcile(facts).breaks]
    result = score(read_answers(written.answers), found)
    assert (result.missed, result.false) == ([], [])
    assert result.planted == result.found
    assert result.compounds_planted == result.compounds_found


def test_every_line_of_every_file_can_be_read_and_every_payout_adds_up(tmp_path: Path) -> None:
    extract = load_sales()
    plan = plan_of(extract)
    sales, refunds = walk(extract, plan)
    written = write_files(plan, sales, refunds, tmp_path, UTC_OFFSET_SECONDS)
    for brand, paths in written.by_brand.items():
        read = [_read(brand, path) for path in paths]
        assert not [error for file in read for error in file.errors]
        records = tuple(KeptRecord(number, record) for number, record in enumerate(record for file in read for record in file.records))
        payouts = reconcile(Facts(plan.cut_off, (), (), records)).payouts
        assert bool(payouts) == (brand in ("grocer", "fuel"))
        assert all(payout.remainder_minor == 0 for payout in payouts)


def _read(brand: str, path: Path) -> ReadFile:
    definition = column_mapping_for(brand, UTC_OFFSET_SECONDS)
    if definition is None:
        return read_stripe_report(path.read_bytes(), StripeOptions(timezone(timedelta(seconds=UTC_OFFSET_SECONDS))))
    return read_mapped_csv(path.read_bytes(), column_mapping(definition, name=brand))


def _expected(sales: Iterable[PaidSale], brand: str) -> Iterable[ExpectedPayment]:
    for sale in sales:
        if sale.brand == brand:
            yield ExpectedPayment(sale.payment_id, sale.currency, sale.money_minor, sale.business_date, 0, 0, "confirmed")


def _reported(refunds: Iterable[PaymentRefund], brand: str) -> Iterable[ReportedRefund]:
    for refund in refunds:
        if refund.brand == brand:
            day = refund.refunded_at.date()
            yield ReportedRefund(
                refund.refund_id, refund.payment_id, refund.amount_minor, day, clawback_done=True, clawback_state="confirmed"
            )
