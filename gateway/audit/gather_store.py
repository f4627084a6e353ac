"""Gathers the gateway's rows in one snapshot of the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.access.tables import ApiKeyRow
from gateway.audit.evidence import StoreEvidence
from gateway.brands.tables import BrandDocumentRow, BrandRow
from gateway.checkpoints.tables import CheckpointRow
from gateway.coalition.tables import AdmissionChecklistRow, AdmissionCriteriaRow, CoalitionRow, GovernanceActRow
from gateway.payments.tables import PaymentRecordRow
from gateway.points.tables import OpeningFileRow, OpeningLineRow
from gateway.projection import member_tables
from gateway.projection import tables as projection
from gateway.purchases.tables import AwardClawbackRow, AwardRestoreRow, AwardRow, CarriedClawbackRow, PaymentRefundRow, PurchaseRow
from gateway.reconciliation.tables import MatchRecordRow, MatchRow, PayoutRow
from gateway.rounds.tables import BatchRow, OperationRow, ReferenceRow
from gateway.store.session import Database
from gateway.values.errors import Unavailable
from gateway.values.ids import Address, Hash

PROJECTION = (
    projection.LedgerBlockRow,
    projection.LedgerBatchRow,
    projection.LedgerEntryRow,
    projection.LedgerMovementRow,
    projection.LedgerMemberLotRow,
    projection.LedgerLotRow,
    projection.LedgerClawedIssueRow,
    projection.LedgerReservationRow,
    projection.LedgerReservationLotRow,
    projection.LedgerOwedRow,
    projection.LedgerExposureRow,
    projection.LedgerGovernorsRow,
    projection.LedgerExposureLimitRow,
    projection.LedgerBrandRow,
    projection.LedgerBrandTermsRow,
    projection.LedgerBrandKeyRow,
    projection.LedgerAuthorizerRow,
    member_tables.LedgerMemberRow,
    member_tables.LedgerGrantRow,
    member_tables.LedgerPendingActRow,
)
_Rows = TypeVar("_Rows")


def gather_store(database: Database) -> StoreEvidence:
    """Everything that the checks read; nothing is locked."""
    with database.read() as session:
        coalition = session.get(CoalitionRow, 1)
        if coalition is None:
            raise Unavailable("This gateway has no ledger yet: there is nothing to audit")
        _check_readable(coalition)
        return StoreEvidence(
            coalition=coalition,
            projection={table.__tablename__: _tuples(session, table) for table in PROJECTION},
            brands=_rows(session, BrandRow),
            operations=_rows(session, OperationRow),
            batches=_rows(session, BatchRow),
            references=_rows(session, ReferenceRow),
            purchases=_rows(session, PurchaseRow),
            awards=_rows(session, AwardRow),
            payment_refunds=_rows(session, PaymentRefundRow),
            award_clawbacks=_rows(session, AwardClawbackRow),
            matches=_rows(session, MatchRow),
            match_records=_rows(session, MatchRecordRow),
            payment_records=_rows(session, PaymentRecordRow),
            payouts=_rows(session, PayoutRow),
            brand_documents=_rows(session, BrandDocumentRow),
            api_keys=_rows(session, ApiKeyRow),
            checkpoints=_rows(session, CheckpointRow),
            award_restores=_rows(session, AwardRestoreRow),
            carried_clawbacks=_rows(session, CarriedClawbackRow),
            opening_files=_rows(session, OpeningFileRow),
            opening_lines=_rows(session, OpeningLineRow),
            governance_acts=_rows(session, GovernanceActRow),
            admission_criteria=_rows(session, AdmissionCriteriaRow),
            admission_checklists=_rows(session, AdmissionChecklistRow),
        )


def _check_readable(coalition: CoalitionRow) -> None:
    """Without these ids no ledger can be asked for: what is wrong with them cannot be a finding."""
    addresses = ("points_address", "brands_address", "members_address", "governance_address")
    for name, kind in (("coalition_id", Hash), *((address, Address) for address in addresses)):
        if not isinstance(getattr(coalition, name), kind):
            raise Unavailable(f"Nothing can be audited, the coalition's row is damaged: {name} does not have {kind.SIZE} bytes")


def _rows(session: Session, table: type[_Rows]) -> Sequence[_Rows]:
    return session.scalars(select(table)).all()


def _tuples(session: Session, table: type[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(select(table.__table__))]
