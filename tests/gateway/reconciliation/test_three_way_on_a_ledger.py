"""The third leg on a real ledger: what the follower read of issues and clawbacks is what the reconciliation goes by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.api.reconciliation_facts import gathered_facts
from gateway.payments.formats.stripe_payout_reconciliation import StripeOptions, read_stripe_report
from gateway.payments.import_payment_file import PaymentFileImport, keep_payment_file, read_payment_file
from gateway.payments.record import ControlTotals, FileStatus
from gateway.payments.rows import SqlPaymentFiles
from gateway.reconciliation.matching import Reconciled
from gateway.reconciliation.reconcile import keep_reconciliation, reconcile_brand
from gateway.reconciliation.rows import SqlReconciliations
from gateway.reconciliation.tables import BreakRow, MatchRecordRow, MatchRow
from gateway.store.unit_of_work import UnitOfWork
from tests.builders.coalition import START, CoalitionBuilder, running_coalition
from tests.builders.payment_files import stripe_file, stripe_row

DAY = datetime.fromtimestamp(START, UTC).date()


def bring_in(coalition: CoalitionBuilder, name: str, *rows: str) -> None:
    request = PaymentFileImport(1, name, stripe_file(*rows), "stripe-payout-reconciliation", {}, ControlTotals())
    item = read_payment_file(request, reader=partial(read_stripe_report, options=StripeOptions(UTC)))
    with coalition.database.write() as session:
        kept = keep_payment_file(item, files=SqlPaymentFiles(UnitOfWork(session, lambda _: START)), payment_file_id=name, now=START)
    assert kept.status is FileStatus.IMPORTED


def look(coalition: CoalitionBuilder, reconciliation_id: str) -> Reconciled:
    with coalition.database.read() as session:
        item = reconcile_brand(1, DAY + timedelta(days=10), facts=gathered_facts(UnitOfWork(session, lambda _: START)))
    with coalition.database.write() as session:
        keep_reconciliation(
            item, reconciliations=SqlReconciliations(UnitOfWork(session, lambda _: START)), reconciliation_id=reconciliation_id, now=START
        )
    return item.result


def named(result: Reconciled) -> list[tuple[str, str | None]]:
    return sorted((found.kind.value, found.payment_id) for found in result.breaks)


@pytest.mark.timeout(180)
def test_points_and_clawbacks_count_once_they_are_on_the_ledger(tmp_path: Path) -> None:
    on = DAY.isoformat()
    with running_coalition(tmp_path, brand_ids=(1, 2), members=2) as coalition:
        keeper, spender = coalition.member_keys
        coalition.purchase(1, keeper, payment_id="kept")
        coalition.purchase(1, keeper, payment_id="returned")
        coalition.purchase(1, spender, payment_id="spent")
        charges = [stripe_row(number, name, "100.00", on=on) for number, name in enumerate(("kept", "returned", "spent"), start=1)]
        bring_in(coalition, "charges", *charges)
        assert named(look(coalition, "before")) == [("points_missing", "kept"), ("points_missing", "returned"), ("points_missing", "spent")]
        coalition.work_off()
        assert named(look(coalition, "issued")) == []

        coalition.redeem(2, spender, 100)
        coalition.work_off()
        refunds = [stripe_row(number, name, "-40.00", "refund", on=on) for number, name in ((4, "returned"), (5, "spent"))]
        bring_in(coalition, "refunds", *refunds)
        coalition.refund_payment(1, "returned", 4_000)
        coalition.refund_payment(1, "spent", 4_000)
        assert named(look(coalition, "accepted")) == [("refund_not_clawed_back", "returned"), ("refund_not_clawed_back", "spent")]
        coalition.work_off()
        done = look(coalition, "done")
        assert named(done) == []  # the spender's clawback was written off: there was nothing left to take
        assert len(done.matches) == 5
        with coalition.database.read() as session:
            counts = {
                row.__tablename__: session.scalar(select(func.count()).select_from(row).where(row.reconciliation_id == "done"))
                for row in (MatchRow, MatchRecordRow, BreakRow)
            }
        assert counts == {"matches": 5, "match_records": 5, "breaks": 0}
