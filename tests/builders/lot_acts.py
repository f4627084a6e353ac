"""Acts on lots of a running coalition, as the API does them: openings, refunds that fail, and what a brand has decided on its points."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from eth_account import Account
from sqlalchemy import select

from gateway.audit.run import audit
from gateway.brand_signer.register_writer import opening_file_record, refund_failure_record
from gateway.brands.change_settings import change_settings
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.ledger.members import member_id
from gateway.ledger.opening_file import OpeningTerms
from gateway.members.enroll_member import enroll_member
from gateway.members.rows import SqlMembers
from gateway.points.import_openings import import_openings
from gateway.points.opening import OpeningImport
from gateway.points.opening_rows import SqlOpenings
from gateway.points.opening_views import OpeningFileView, opening_file_view
from gateway.projection.tables import LedgerMemberLotRow
from gateway.purchases.fail_payment_refund import RefundFailure, fail_payment_refund
from gateway.purchases.rows import SqlPaymentRefunds, SqlPurchases
from gateway.purchases.tables import AwardClawbackRow, CarriedClawbackRow, PaymentRefundRow
from gateway.rounds.rows import SqlOperations
from gateway.rounds.tables import OperationRow
from gateway.store.unit_of_work import reading, writing
from gateway.values.ids import MemberId
from tests.builders.coalition import START, CoalitionBuilder, new_id

PROGRAMME = "stamp-card"
PUBLISHED_KEYS = 12


def terms(ratio_points: int = 1, ratio_units: int = 2, expires_on: date | None = None) -> OpeningTerms:
    return OpeningTerms(PROGRAMME, ratio_points, ratio_units, expires_on)


def hand_over_file(coalition: CoalitionBuilder, brand_id: int, content: bytes, on: OpeningTerms) -> Path:
    """The brand gives the file to its own signer."""
    path = coalition.brands[brand_id].folder / f"{new_id('openings')}.csv"
    path.write_bytes(content)
    coalition.brands[brand_id].till(opening_file_record(path, on.programme, on.ratio_points, on.ratio_units, on.expires_on))
    return path


def open_points(coalition: CoalitionBuilder, brand_id: int, content: bytes, on: OpeningTerms) -> OpeningFileView:
    """Imported by the gateway; how it stands then."""
    with writing(coalition.database, business_clock()) as work:
        brand = work.of(SqlBrands).find(brand_id)
        assert brand is not None
        file = import_openings(
            OpeningImport(brand_id, "openings.csv", content, on),
            brand=brand,
            coalition=work.of(SqlCoalition).facts,
            members=work.of(SqlMembers),
            openings=work.of(SqlOpenings),
            operations=work.of(SqlOperations),
            new_id=lambda: new_id("opening"),
            opening_file_id=new_id("opening-file"),
            now=work.now,
        )
    return opening(coalition, file.opening_file_id)


def opening(coalition: CoalitionBuilder, opening_file_id: str) -> OpeningFileView:
    with reading(coalition.database, business_clock()) as work:
        file = work.of(SqlOpenings).find(opening_file_id)
        assert file is not None
        return opening_file_view(work.session, file)


def fail_refund(coalition: CoalitionBuilder, brand_id: int, refund_id: str, till: bool = True) -> list[str]:
    """The money did not go back; the operations that give points back."""
    with coalition.database.read() as session:
        payment_id = session.scalars(select(PaymentRefundRow.payment_id).where(PaymentRefundRow.refund_id == refund_id)).one()
    if till:
        coalition.brands[brand_id].till(refund_failure_record(refund_id, payment_id))
    return report_failure(coalition, brand_id, refund_id, datetime.fromtimestamp(START, UTC))


def report_failure(coalition: CoalitionBuilder, brand_id: int, refund_id: str, at: datetime) -> list[str]:
    """What the gateway is told; the till has written nothing."""
    with writing(coalition.database, business_clock()) as work:
        brand = work.of(SqlBrands).find(brand_id)
        assert brand is not None
        stored = fail_payment_refund(
            RefundFailure(refund_id, at),
            brand=brand,
            brands=work.of(SqlBrands),
            purchases=work.of(SqlPurchases),
            payment_refunds=work.of(SqlPaymentRefunds),
            operations=work.of(SqlOperations),
            new_id=lambda: new_id("restore"),
            now=work.now,
        )
    return [one.operation_id for one in stored.restores]


def last_refund(coalition: CoalitionBuilder) -> str:
    with coalition.database.read() as session:
        return session.scalars(select(PaymentRefundRow.refund_id).order_by(PaymentRefundRow.payment_refund_id.desc()).limit(1)).one()


def settle_on(coalition: CoalitionBuilder, brand_id: int, **settings: bool) -> None:
    """The brand decides, and an empty block lets the worker look again."""
    asked: dict[str, Any] = {"extends_by_activity": None, "carries_clawbacks": None, **settings}
    with writing(coalition.database, business_clock()) as work:
        brand = work.of(SqlBrands).find(brand_id)
        assert brand is not None
        change_settings(brand, **asked, brands=work.of(SqlBrands))
    coalition.set_time(coalition.now + 1)
    coalition.work_off()


def promise_extensions(coalition: CoalitionBuilder, brand_id: int) -> None:
    """The brand's signer is told so, too."""
    brand = coalition.brands[brand_id]
    config = brand.folder / "signer.json"
    written = json.loads(config.read_text())
    written["programme"]["extends_by_activity"] = True
    config.write_text(json.dumps(written))
    brand.stop()
    brand.start()


def held(coalition: CoalitionBuilder, member: MemberId, brand_id: int) -> dict[int, int]:
    """Points by expiry day; empty lots are left out."""
    with coalition.database.read() as session:
        rows = session.scalars(select(LedgerMemberLotRow).where(LedgerMemberLotRow.member_id == member, LedgerMemberLotRow.held > 0))
        return {row.lot_id % 2**32: row.held for row in rows if row.lot_id >> 32 == brand_id}


def ended(coalition: CoalitionBuilder, kind: str) -> list[tuple[str, str | None, int]]:
    """(status, reason, points) of all operations of a kind, in their order."""
    with coalition.database.read() as session:
        rows = session.scalars(select(OperationRow).where(OperationRow.kind == kind).order_by(OperationRow.sequence))
        return [(row.status, row.reason, row.points) for row in rows]


def shortfalls(coalition: CoalitionBuilder) -> tuple[int, list[int]]:
    """(points that the first clawbacks still miss, points due by later ones)."""
    with coalition.database.read() as session:
        short = sum(session.scalars(select(AwardClawbackRow.points_short)))
        return short, list(session.scalars(select(CarriedClawbackRow.points_due).order_by(CarriedClawbackRow.part)))


def member_of_later(coalition: CoalitionBuilder) -> tuple[MemberId, Callable[[], None]]:
    """Who is not enrolled yet, and what enrolls her."""
    key, salt = Account.create(), secrets.token_bytes(32)
    authorizer = bytes.fromhex(key.address[2:])

    def enroll() -> None:
        with writing(coalition.database, business_clock()) as work:
            enroll_member(
                1,
                authorizer,
                salt,
                coalition=work.of(SqlCoalition).facts,
                members=work.of(SqlMembers),
                operations=work.of(SqlOperations),
                operation_id=new_id("enroll"),
                now=work.now,
            )

    return member_id(coalition.coalition.coalition_id, 1, authorizer, salt), enroll


def failing_invariants(coalition: CoalitionBuilder) -> dict[int, str]:
    """What the audit finds, but for what brands have not published of their keys."""
    report = audit(coalition.database, coalition.chain, lambda: coalition.now)
    return {verdict.number: verdict.summary for verdict in report.verdicts if not verdict.holds and verdict.number != PUBLISHED_KEYS}
