"""An honest ledger on which everything has happened once, shared by the tests; each tampers with its own copy of the database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ledger.entries import Authorize, Capture, Expire, PointRefund, Redeem, Void
from gateway.ledger.lots import Line
from gateway.ledger.member_acts import Grant, SetGuardian, SpendLock, Unlock, grant_to_brand
from gateway.payments.tables import PaymentFileRow, PaymentRecordRow
from gateway.reconciliation.tables import MatchRecordRow, MatchRow, PayoutRow, ReconciliationRow
from gateway.store.session import Database
from gateway.values.ids import Hash
from tests.builders.databases import copied_database
from tests.gateway.audit.live_ledger import DAY, FOREVER, FUEL, GROCER, JANUARY, JUNE, MARCH, START, LiveLedger
from tests.gateway.audit.settling import settle


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLedger]:
    """Every kind of entry, a refused one, a grace lot, a partial capture; reconciled payments."""
    with LiveLedger(tmp_path_factory.mktemp("honest")) as ledger:
        _live(ledger)
        _act(ledger)
        settle(ledger)
        _reconcile(ledger)
        yield ledger


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LiveLedger]:
    """A ledger of one's own, with a hundred points for anna in each of two lots."""
    with LiveLedger(tmp_path) as ledger:
        ledger.submit(
            GROCER, ledger.issue(GROCER, "anna", "payment 1", 100, JANUARY), ledger.issue(GROCER, "anna", "payment 2", 100, MARCH)
        )
        yield ledger


@pytest.fixture
def copy(honest: LiveLedger, tmp_path: Path) -> Iterator[Database]:
    """The honest ledger's database, to tamper with."""
    database = Database(copied_database(honest.database, tmp_path))
    yield database
    database.close()


def _act(ledger: LiveLedger) -> None:
    """A grant, a guardian, a spend lock, and an unlock that waits."""
    cara = ledger.members["cara"]
    ledger.act_for("cara", Grant(cara, grant_to_brand(GROCER), 10, 20, 30, FOREVER, 0, FOREVER))
    ledger.act_for("cara", SetGuardian(cara, 1, bytes(cara), 1, FOREVER))
    ledger.act_for("cara", SpendLock(cara, 1, FOREVER))
    ledger.act_for("cara", Unlock(cara, 2, FOREVER))


def _live(ledger: LiveLedger) -> None:
    ledger.submit(
        GROCER,
        ledger.issue(GROCER, "anna", "payment 1", 100, JANUARY),
        ledger.issue(GROCER, "anna", "payment 2", 100, MARCH),
        ledger.issue(GROCER, "ben", "payment 3", 40, JANUARY),
    )
    ledger.submit(FUEL, ledger.issue(FUEL, "anna", "payment 1", 30, JUNE))
    held = ledger.consented(Authorize, FUEL, "anna", "order 1", [Line(GROCER, JANUARY, 100), Line(GROCER, MARCH, 20)], START + 7 * DAY)
    given_up = ledger.consented(Authorize, FUEL, "anna", "order 2", [Line(GROCER, MARCH, 10)], START + 7 * DAY)
    spent = ledger.consented(Redeem, FUEL, "ben", "order 3", [Line(GROCER, JANUARY, 10)], START + 7 * DAY)
    too_much = ledger.consented(Redeem, FUEL, "ben", "order 4", [Line(GROCER, JANUARY, 500)], START + 7 * DAY)
    ledger.submit(FUEL, held, given_up, spent, too_much)
    capture = Capture(
        ledger.reservation_of(FUEL, held), ledger.reference(FUEL, "capture", "1"), 105, (Line(GROCER, JANUARY, 100), Line(GROCER, MARCH, 5))
    )
    void = Void(ledger.reservation_of(FUEL, given_up), ledger.reference(FUEL, "void", "1"), (Line(GROCER, MARCH, 10),))
    ledger.submit(FUEL, capture, void)
    ledger.submit(GROCER, ledger.clawback(GROCER, "anna", "1", (1, 1), Line(GROCER, MARCH, 25)))
    ledger.at(START + 40 * DAY)
    given_back = PointRefund(capture.reservation_id, ledger.reference(FUEL, "point-refund", "1"), 8, (Line(GROCER, JANUARY, 8),))
    ledger.submit(FUEL, given_back)
    ledger.before_expiry = ledger.head()
    ledger.submit(GROCER, Expire(ledger.members["ben"], JANUARY, 30))
    open_one = ledger.consented(Authorize, FUEL, "anna", "order 5", [Line(GROCER, MARCH, 7)], START + 42 * DAY)
    ledger.submit(FUEL, open_one)


def _reconcile(ledger: LiveLedger) -> None:
    """Two payment records in two matches of one reconciliation, a third that repeats the second, and a payout."""
    with ledger.database.write() as session:
        session.add(
            PaymentFileRow(
                payment_file_id="file",
                brand_id=GROCER,
                file_name="file.csv",
                file_hash=Hash(bytes(32)),
                content=b"",
                layout="mapped:till",
                terms="{}",
                status="imported",
                row_count=3,
                record_count=3,
                error_count=0,
                created_at=START,
            )
        )
        session.flush()
        session.add_all(_payment_record(number, charge, payment) for number, charge, payment in ((1, "a", 1), (2, "b", 2), (3, "b", 2)))
        session.add(
            ReconciliationRow(
                reconciliation_id="run", brand_id=GROCER, cut_off_date="2026-01-31", at_block=1, summary="{}", created_at=START
            )
        )
        session.flush()
        for number in (1, 2):
            payment_id = f"payment {number}"
            match = {"reconciliation_id": "run", "match_number": number}
            session.add(MatchRow(**match, brand_id=GROCER, payment_id=payment_id, kind="charge", amount_minor=100))
            session.flush()
            session.add(MatchRecordRow(**match, payment_record_id=number))
        session.add(
            PayoutRow(
                reconciliation_id="run",
                provider="till",
                payout_id="payout",
                currency="USD",
                brand_id=GROCER,
                payout_minor=195,
                charges_minor=200,
                refunds_minor=0,
                fees_minor=-5,
                other_minor=0,
                remainder_minor=0,
                remainder_label="none",
                record_count=2,
            )
        )


def _payment_record(number: int, charge: str, payment: int) -> PaymentRecordRow:
    return PaymentRecordRow(
        payment_record_id=number,
        payment_file_id="file",
        line_number=number,
        brand_id=GROCER,
        provider="till",
        kind="charge",
        provider_record_id=charge,
        payment_id=f"payment {payment}",
        currency="USD",
        gross_minor=100,
        fee_minor=0,
        net_minor=100,
        occurred_at="2026-01-02T00:00:00+00:00",
        business_date="2026-01-02",
    )
