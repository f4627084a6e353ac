"""Rows changed behind the gateway's back: the audit names the invariant that no longer holds."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from gateway.audit.run import audit
from gateway.store.session import Database
from tests.builders.databases import unguarded
from tests.gateway.audit.live_ledger import DAY, FUEL, GROCER, JANUARY, JUNE, MARCH, START, LiveLedger

GROCER_MARCH = GROCER << 32 | MARCH
GROCER_JANUARY = GROCER << 32 | JANUARY
FUEL_JUNE = FUEL << 32 | JUNE
DAMAGE = {"cut_short": b"\0", "other_id": b"\x77" * 20, "other_hash": b"\x77" * 32, "too_long": b"\xab" * 33}
OF_PAYMENT_3 = "purchase_id = (SELECT purchase_id FROM purchases WHERE payment_id = 'payment 3')"


def audited(honest: LiveLedger, database: Database, now: int = START) -> dict[int, tuple[str, ...]]:
    """Findings by number, of those that fail."""
    report = audit(database, honest.chain, lambda: now)
    return {verdict.number: verdict.findings for verdict in report.verdicts if not verdict.holds}


def tamper(database: Database, statement: str, **values: Any) -> None:
    """A statement may name the DAMAGE by its names."""
    with unguarded(database) as connection:
        changed = connection.execute(text(statement), {**DAMAGE, **values})
        assert changed.rowcount > 0, "the tampering changed nothing"


CASES: dict[str, tuple[set[int], str, str]] = {
    "a member's points in a lot raised": (
        {1, 6},
        f"UPDATE ledger_member_lots SET held = held + 1 WHERE lot_id = {FUEL_JUNE}",
        "members hold 31 points by the projection",
    ),
    "a lot's issued points lowered": (
        {1, 6},
        f"UPDATE ledger_lots SET issued = issued - 5 WHERE lot_id = {GROCER_MARCH}",
        "its totals leave",
    ),
    "a payment's issue shown twice": (
        {3, 6},
        (
            "INSERT INTO ledger_entries SELECT position + 500, brand_id, batch_number, entry_index + 500, kind, member_id, points,"
            " reference, issue_reference, reservation_id, rule_version, entry, refused_reason, block_number, block_timestamp, taker_id"
            " FROM ledger_entries"
            " WHERE brand_id = 2 AND kind = 'issue'"
        ),
        "earned 2 times by the projection",
    ),
    "an award's points raised": (
        {3},
        f"UPDATE awards SET points = points + 1 WHERE {OF_PAYMENT_3}",
        "the purchase says 41",
    ),
    "an award of another version of the rule": (
        {3},
        f"UPDATE awards SET rule_version = 99 WHERE {OF_PAYMENT_3}",
        "99",
    ),
    "an award of another lot": (
        {3},
        f"UPDATE awards SET expiry_day = 5 WHERE {OF_PAYMENT_3}",
        "rule version and lot expiry are",
    ),
    "an award with the operation of something else": (
        {3},
        f"UPDATE awards SET operation_id = (SELECT max(operation_id) FROM operations WHERE kind = 'clawback') WHERE {OF_PAYMENT_3}",
        "is that of something else",
    ),
    "an award's points lowered": (
        {3},
        f"UPDATE awards SET points = points - 1 WHERE {OF_PAYMENT_3}",
        "the purchase says 39",
    ),
    "an award moved to another member": (
        {3},
        f"UPDATE awards SET member_id = :other_id WHERE {OF_PAYMENT_3}",
        f"the purchase says 40 to 0x{'77' * 20}",
    ),
    "an award's reference exchanged": (
        {3},
        f"UPDATE awards SET reference = :other_hash WHERE {OF_PAYMENT_3}",
        "payment 3: its reference is not the keyed hash",
    ),
    "an award's reference cut short": (
        {3},
        f"UPDATE awards SET reference = substr(reference, 1, 31) WHERE {OF_PAYMENT_3}",
        "payment 3: its reference is not the keyed hash",
    ),
    "an award of another number": (
        {3},
        f"UPDATE awards SET number = 2 WHERE {OF_PAYMENT_3}",
        "payment 3, award 2 of brand 1: its reference is not the keyed hash",
    ),
    "an award of a brand that is not there": (
        {3},
        f"UPDATE awards SET issuer_id = 9 WHERE {OF_PAYMENT_3}",
        "payment 3, award 1 of brand 9: there is no such brand",
    ),
    "an award that the ledger issued said to be refused": (
        {3},
        f"UPDATE awards SET operation_id = NULL, refused = 'limit_exceeded' WHERE {OF_PAYMENT_3}",
        "payment 3 was refused (limit_exceeded), but the ledger issued 40 points",
    ),
    "an award forgotten while its issue is on the ledger": (
        {3},
        f"DELETE FROM awards WHERE {OF_PAYMENT_3}",
        "payment 3: the ledger issued 40 points to 0x",
    ),
    "an award that names a purchase that is not there": (
        {3},
        f"UPDATE awards SET purchase_id = 99 WHERE {OF_PAYMENT_3}",
        "an award names purchase 99, which is not there",
    ),
    "a purchase forgotten under its award": (
        {3},
        "DELETE FROM purchases WHERE payment_id = 'payment 3'",
        "an award names purchase 3, which is not there",
    ),
    "a purchase moved to another member": (
        {3},
        "UPDATE purchases SET member_id = :other_id WHERE payment_id = 'payment 3'",
        f"payment 3 is of member 0x{'77' * 20}, its award 1 of 0x",
    ),
    "a clawback of more than its award": (
        {3},
        "UPDATE award_clawbacks SET points_due = 101",
        "payment 2: its refunds take more points than it earned",
    ),
    "a clawback of an award that is not there": (
        {3},
        "UPDATE award_clawbacks SET number = 2",
        "payment 2: its refunds take back award 2, which is not there",
    ),
    "a clawback that names a payment refund that is not there": (
        {3},
        "UPDATE award_clawbacks SET payment_refund_id = 99",
        "a clawback names payment refund 99",
    ),
    "a clawback's reference exchanged": (
        {3},
        "UPDATE award_clawbacks SET reference = :other_hash",
        "refund 1: the reference of its clawback of award 1 is not the keyed hash",
    ),
    "a payment refund's id exchanged": (
        {3},
        "UPDATE payment_refunds SET refund_id = '9'",
        "refund 9: its reference is not the keyed hash",
    ),
    "a purchase's payment id exchanged": (
        {3},
        "UPDATE purchases SET payment_id = 'payment 9' WHERE payment_id = 'payment 3'",
        "not the keyed hash",
    ),
    "an issue beyond the limit": (
        {4, 6},
        f"UPDATE ledger_movements SET held_delta = 20000 WHERE lot_id = {FUEL_JUNE} AND held_delta = 30",
        "left 20000 points outstanding by the projection; the limit was 10000",
    ),
    "a lost operation": (
        {5},
        "DELETE FROM operations WHERE kind = 'capture'",
        "its operation is lost",
    ),
    "an operation that never ended": (
        {5},
        "UPDATE operations SET status = 'packed' WHERE kind = 'void'",
        "already on the ledger",
    ),
    "a refusal turned into a confirmation": (
        {5},
        "UPDATE operations SET status = 'confirmed', reason = NULL WHERE status = 'refused'",
        "the ledger refused it: NotEnoughPoints",
    ),
    "a confirmation turned into a refusal": (
        {5},
        "UPDATE operations SET status = 'refused' WHERE kind = 'redeem' AND status = 'confirmed'",
        "but the ledger accepted it",
    ),
    "an operation with other points": (
        {5},
        "UPDATE operations SET points = points + 1 WHERE kind = 'issue' AND brand_id = 2",
        "on the ledger of 30",
    ),
    "a confirmed operation without an entry": (
        {5},
        (
            "INSERT INTO operations (operation_id, brand_id, kind, points, pending_out, body, status, created_at)"
            f" VALUES ('ghost', 1, 'issue', 5, 0, '{{}}', 'confirmed', {START})"
        ),
        "operation ghost (issue) is confirmed, but is not on the ledger",
    ),
    "a stored batch with other entries": (
        {5},
        "UPDATE batches SET entries = :cut_short WHERE brand_id = 2 AND number = 1",
        "has other entries on the ledger",
    ),
    "a projected entry forgotten": (
        {6},
        "DELETE FROM ledger_entries WHERE refused_reason IS NOT NULL",
        "ledger_entries lacks a row",
    ),
    "an authorizer added": (
        {6},
        "INSERT INTO ledger_authorizers SELECT member_id, :cut_short, kind, authorizer FROM ledger_authorizers LIMIT 1",
        "ledger_authorizers has a row that the ledger does not give",
    ),
    "a member's spend lock taken off": ({6}, "UPDATE ledger_members SET is_locked = NOT is_locked", "ledger_members has a row"),
    "a grant raised": ({6}, "UPDATE ledger_grants SET in_all = in_all + 1", "ledger_grants has a row that the ledger does not give"),
    "a pending act forgotten": ({6}, "DELETE FROM ledger_pending_acts", "ledger_pending_acts lacks a row that the ledger gives"),
    "a brand's key window widened": (
        {6},
        "UPDATE ledger_brand_keys SET valid_until = valid_until - 1 WHERE brand_id = 1",
        "ledger_brand_keys",
    ),
    "a block exchanged": (
        {6},
        "UPDATE ledger_blocks SET block_hash = :cut_short WHERE number = (SELECT max(number) FROM ledger_blocks)",
        "a block",
    ),
    "more reserved than held": (
        {6, 7},
        f"UPDATE ledger_member_lots SET reserved = held + 1 WHERE lot_id = {FUEL_JUNE}",
        "31 points reserved of 30 held by the projection",
    ),
    "an open reservation closed without its release": (
        {6, 7},
        "UPDATE ledger_reservations SET status = 'voided' WHERE status = 'open'",
        "not those of the open reservations",
    ),
    "more captured than reserved": (
        {6, 7, 8},
        f"UPDATE ledger_reservation_lots SET captured = reserved + 1 WHERE lot_id = {GROCER_JANUARY} AND captured = 100",
        "100 reserved, 101 captured",
    ),
    "what a brand owes lowered": (
        {6, 8},
        "UPDATE ledger_owed SET points = points - 1",
        "as owed in the projection",
    ),
    "what is settled of it raised": (
        {6},
        "UPDATE ledger_owed SET settled = settled + 1 WHERE settled = 60",
        "ledger_owed has a row that the ledger does not give: 1, 2, 1, 107, 61",
    ),
    "an exposure lowered": ({6}, "UPDATE ledger_exposure SET points = points - 1", "ledger_exposure lacks a row"),
    "fewer approvals needed": ({6}, "UPDATE ledger_governors SET approvals_needed = 0", "ledger_governors lacks a row"),
    "a redemption moved to another lot": (
        {6, 7, 9},
        f"UPDATE ledger_movements SET lot_id = {FUEL_JUNE} WHERE lot_id = {GROCER_MARCH} AND reserved_delta = 10",
        "nearest expiry first, it had to take",
    ),
    "a redemption after its lot's expiry": (
        {6, 9},
        f"UPDATE ledger_entries SET block_timestamp = block_timestamp + {40 * DAY} WHERE kind = 'redeem' AND refused_reason IS NULL",
        "spends the expired lot",
    ),
    "a record of one charge claimed by a second match": (
        {10},
        "INSERT INTO match_records (reconciliation_id, payment_record_id, match_number) VALUES ('run', 3, 2)",
        "is claimed 2 times",
    ),
    "a record claimed for another payment": (
        {10},
        "UPDATE match_records SET match_number = 3 - match_number",
        "of another brand, payment or kind",
    ),
    "a payout whose parts do not sum to it": (
        {10},
        "UPDATE payouts SET fees_minor = fees_minor - 1",
        "its parts and remainder sum to 194 minor units, it is 195",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_was_tampered_with_is_named_by_its_number(name: str, honest: LiveLedger, copy: Database) -> None:
    numbers, statement, finding = CASES[name]
    tamper(copy, statement)
    failed = audited(honest, copy)
    assert set(failed) == numbers, failed
    assert any(finding in each for number in numbers for each in failed[number]), failed


def test_the_untouched_copy_passes(honest: LiveLedger, copy: Database) -> None:
    assert audited(honest, copy) == {}


def test_an_open_operation_is_fine_while_it_is_recent_and_lost_once_it_is_old(honest: LiveLedger, copy: Database) -> None:
    with copy.read() as session:
        head = session.execute(text("SELECT max(timestamp) FROM ledger_blocks")).scalar_one()
    tamper(
        copy,
        "INSERT INTO operations (operation_id, brand_id, kind, points, pending_out, body, status, created_at)"
        " VALUES ('waiting', 1, 'issue', 5, 0, '{}', 'accepted', :now)",
        now=head,
    )
    assert audited(honest, copy) == {}
    tamper(copy, "UPDATE operations SET created_at = created_at - 86400 WHERE operation_id = 'waiting'")
    assert set(audited(honest, copy)) == {5}


def test_references_refilled_on_a_rebuild_stand_for_operations_that_nobody_knows_any_more(honest: LiveLedger, copy: Database) -> None:
    for statement in ("DELETE FROM operations", "DELETE FROM batches", "UPDATE entry_references SET operation_id = NULL"):
        tamper(copy, statement)
    assert audited(honest, copy) == {}
    tamper(copy, "DELETE FROM entry_references WHERE kind = 'capture'")
    assert "nothing here knows its reference" in audited(honest, copy)[5][0]


def test_an_award_forgotten_with_its_purchase_is_named_by_its_operation(honest: LiveLedger, copy: Database) -> None:
    tamper(copy, f"DELETE FROM awards WHERE {OF_PAYMENT_3}")
    tamper(copy, "DELETE FROM purchases WHERE payment_id = 'payment 3'")
    failed = audited(honest, copy)
    assert set(failed) == {3}
    assert "operation 3 (issue): the ledger issued 40 points to 0x" in failed[3][0]


def test_two_clawbacks_that_each_fit_their_award_may_not_exceed_it_together(honest: LiveLedger, copy: Database) -> None:
    tamper(copy, "UPDATE award_clawbacks SET points_due = 100")
    assert audited(honest, copy) == {}, "all of it may go back"
    for second in (
        "payment_refunds SELECT 2, brand_id, '2', payment_id, 1, occurred_at, business_date, :reference, content_hash FROM payment_refunds",
        "award_clawbacks SELECT 2, number, issuer_id, 1, 0, :reference, operation_id FROM award_clawbacks",
    ):
        tamper(copy, f"INSERT INTO {second}", reference=honest.reference(GROCER, "refund", "2"))
    assert audited(honest, copy) == {3: ("brand 1, payment payment 2: its refunds take more points than it earned",)}


@pytest.mark.parametrize("damaged", [":cut_short", "'entries'"])
def test_data_that_make_no_sense_are_a_finding_and_hide_no_other(damaged: str, honest: LiveLedger, copy: Database) -> None:
    tamper(copy, f"UPDATE batches SET entries = {damaged} WHERE number = 1")
    tamper(copy, "UPDATE ledger_movements SET lot_id = 7 WHERE reserved_delta = 10")
    tamper(copy, "UPDATE payouts SET fees_minor = fees_minor - 1")
    failed = audited(honest, copy)
    assert "has other entries on the ledger" in failed[5][0]
    assert failed[9][-1] == "the check stopped at data that make no sense: ValueError: 7 is no lot id"
    assert set(failed) == {5, 6, 7, 9, 10}


def test_findings_are_bounded_and_all_are_counted(honest: LiveLedger, copy: Database) -> None:
    with copy.write() as session:
        session.execute(text("UPDATE ledger_blocks SET timestamp = timestamp + 1"))
        blocks = session.execute(text("SELECT count(*) FROM ledger_blocks")).scalar_one()
    verdict = next(each for each in audit(copy, honest.chain, lambda: START).verdicts if each.number == 6)
    assert verdict.findings_total == 2 * blocks
    assert len(verdict.findings) == 20
