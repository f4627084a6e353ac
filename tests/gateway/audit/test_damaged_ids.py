"""Ids of another length, or no bytes at all, in the gateway's rows: each is a finding of its invariant and hides no other."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.audit.gather_store import PROJECTION
from gateway.audit.run import audit
from gateway.brands.tables import BrandRow
from gateway.payments.tables import PaymentRecordRow
from gateway.purchases.tables import AwardClawbackRow, AwardRow, PaymentRefundRow, PurchaseRow
from gateway.reconciliation.tables import MatchRecordRow, MatchRow, PayoutRow
from gateway.rounds.tables import BatchRow, OperationRow, ReferenceRow
from gateway.store.base import IdType
from gateway.store.session import Database
from gateway.values.errors import Unavailable
from tests.gateway.audit.live_ledger import START, LiveLedger
from tests.gateway.audit.test_tampered_database import audited, tamper
from tests.on_postgresql import SERVER

SHORT, LONG, TEXT = ":cut_short", ":too_long", "'damaged'"  # which PostgreSQL takes for its bytes
PURCHASES = (PurchaseRow, AwardRow, PaymentRefundRow, AwardClawbackRow)
AUDITED: tuple[type[Any], ...] = (
    *PROJECTION,
    *PURCHASES,
    *(BrandRow, OperationRow, BatchRow, ReferenceRow),
    *(MatchRow, MatchRecordRow, PaymentRecordRow, PayoutRow),
)

NAMED_BY: dict[str, set[int]] = {
    "award_clawbacks.reference": {3},
    "awards.member_id": {3},
    "awards.reference": {3},
    "payment_refunds.reference": {3},
    "purchases.member_id": {3},
    "purchases.reference": {3},
    "operations.member_id": {5},
    "operations.reference": {3, 5},
    "operations.reservation_id": {5},
    "ledger_authorizers.authorizer_id": {6},
    "ledger_authorizers.member_id": {6},
    "ledger_batches.root": {6},
    "ledger_batches.transaction_hash": {6},
    "ledger_blocks.block_hash": {6},
    "ledger_brand_keys.key_address": {6},
    "ledger_brands.owner_address": {6},
    "ledger_clawed_issues.member_id": {6},
    "ledger_entries.issue_reference": {3, 6},
    "ledger_entries.member_id": {6},
    "ledger_entries.reference": {6},
    "ledger_entries.reservation_id": {6},
    "ledger_entries.taker_id": {6},
    "ledger_governors.guardian_address": {6},
    "ledger_governors.operator_address": {6},
    "ledger_grants.giver_id": {6},
    "ledger_grants.granted_to": {6},
    "ledger_member_lots.member_id": {6, 7},
    "ledger_members.member_id": {6},
    "ledger_movements.member_id": {6, 7, 9},
    "ledger_pending_acts.act_id": {6},
    "ledger_pending_acts.member_id": {6},
    "ledger_reservation_lots.reservation_id": {6, 8, 9},
    "ledger_reservations.member_id": {6},
    "ledger_reservations.reference": {6},
    "ledger_reservations.reservation_id": {6, 8, 9},
}
OF_NO_INVARIANT = {"brands.key_address", "brands.publisher_address", "payment_refunds.content_hash", "purchases.content_hash"}
AFTER_A_REBUILD = "entry_references.reference"
TELLING_ROWS = {
    "ledger_member_lots": "reserved > 0",
    "ledger_reservation_lots": "captured = 100",
    "ledger_reservations": "points = 120",
}


def damage(database: Database, column: str, value: str) -> None:
    """One row of the column's table: the telling one where the order of rows is by chance, else the first that holds an id there."""
    table, _, name = column.partition(".")
    place = "ctid" if SERVER else "rowid"
    row = f"SELECT {place} FROM {table} WHERE {TELLING_ROWS.get(table, 'true')} ORDER BY {name} IS NULL, {place} LIMIT 1"
    tamper(database, f"UPDATE {table} SET {name} = {value} WHERE {place} = ({row})")


def test_every_column_of_ids_that_the_audit_reads_is_tried() -> None:
    columns = {
        f"{column.table.name}.{column.name}" for row in AUDITED for column in row.__table__.columns if isinstance(column.type, IdType)
    }
    assert columns == {*NAMED_BY, *OF_NO_INVARIANT, AFTER_A_REBUILD}


@pytest.mark.parametrize("column", NAMED_BY)
def test_an_id_cut_short_is_a_finding_of_its_invariant(column: str, honest: LiveLedger, copy: Database) -> None:
    damage(copy, column, SHORT)
    failed = audited(honest, copy)
    assert set(failed) == NAMED_BY[column], failed
    assert not any("the check stopped" in finding for findings in failed.values() for finding in findings), failed


@pytest.mark.parametrize("value", [SHORT, LONG, TEXT])
def test_ids_damaged_everywhere_at_once_hide_nothing(value: str, honest: LiveLedger, copy: Database) -> None:
    for column in (*NAMED_BY, *OF_NO_INVARIANT, AFTER_A_REBUILD):
        damage(copy, column, value)
    assert set(audited(honest, copy)) == set().union(*NAMED_BY.values())
    tamper(copy, "UPDATE ledger_lots SET issued = issued - 5 WHERE issued = 30")
    tamper(copy, "UPDATE payouts SET fees_minor = fees_minor - 1")
    failed = audited(honest, copy)
    assert set(failed) == {1, 10}.union(*NAMED_BY.values())
    assert "its totals leave" in failed[1][0]
    assert not any("the check stopped" in finding for findings in failed.values() for finding in findings), failed


@pytest.mark.parametrize("value", [SHORT, LONG, TEXT])
def test_a_reference_damaged_after_a_rebuild_is_not_known(value: str, honest: LiveLedger, copy: Database) -> None:
    for statement in ("DELETE FROM operations", "DELETE FROM batches", "UPDATE entry_references SET operation_id = NULL"):
        tamper(copy, statement)
    damage(copy, AFTER_A_REBUILD, value)
    failed = audited(honest, copy)
    assert set(failed) == {5}
    assert "nothing here knows its reference" in failed[5][0]


@pytest.mark.parametrize("column", ["coalition_id", "points_address", "brands_address", "members_address"])
@pytest.mark.parametrize("value", [SHORT, LONG, TEXT])
def test_without_the_ids_of_its_ledger_nothing_can_be_audited(column: str, value: str, honest: LiveLedger, copy: Database) -> None:
    damage(copy, f"coalition.{column}", value)
    with pytest.raises(Unavailable, match=f"the coalition's row is damaged: {column}"):
        audit(copy, honest.chain, lambda: START)
