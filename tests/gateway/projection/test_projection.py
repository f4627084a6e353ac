"""The projection says what the contract says, after every kind of entry; dropped and rebuilt, it has the same rows."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from sqlalchemy import select, update

from gateway.chain.artifacts import brands, governance, points_ledger
from gateway.ledger.batches import batch_outcome, batch_record
from gateway.ledger.governance import act_id, approval_digest
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.projection.batch_reading import LedgerUnreadable
from gateway.projection.tables import (
    LedgerBatchRow,
    LedgerBrandRow,
    LedgerEntryRow,
    LedgerMemberLotRow,
    LedgerOwedRow,
    LedgerReservationRow,
)
from gateway.purchases.tables import AwardClawbackRow
from gateway.rounds.tables import OperationRow, ReferenceRow
from gateway.values.calendar import SECONDS_PER_DAY, month_end
from gateway.values.ids import Hash
from tests.builders.coalition import CoalitionBuilder, approvers
from tests.builders.projection_rows import projection_rows


def ask(coalition: CoalitionBuilder, function: str, *arguments: Any) -> tuple[Any, ...]:
    data = points_ledger().call(function, *arguments)
    return points_ledger().returned(function, coalition.chain.eth_call(coalition.coalition.points_address, data))


def assert_contract_agrees(coalition: CoalitionBuilder) -> None:
    """Balances, reserved points, outstanding points, debts and batches, each by eth_call."""
    with coalition.database.read() as session:
        lots = session.scalars(select(LedgerMemberLotRow)).all()
        brands = session.scalars(select(LedgerBrandRow)).all()
        owed = session.scalars(select(LedgerOwedRow)).all()
        batches = session.scalars(select(LedgerBatchRow)).all()
        refused_entries = select(LedgerEntryRow).where(LedgerEntryRow.refused_reason.is_not(None))
        refused = session.scalars(refused_entries.order_by(LedgerEntryRow.position)).all()
    assert lots
    for lot in lots:
        assert ask(coalition, "pointsOf", lot.member_id, lot.lot_id) == (lot.held, lot.reserved)
    for brand in brands:
        assert ask(coalition, "outstanding", brand.brand_id) == (brand.outstanding,)
    for debt in owed:
        assert ask(coalition, "owed", debt.issuer_id, debt.acceptor_id) == (debt.points,)
    for batch in batches:
        own = [entry for entry in refused if (entry.brand_id, entry.batch_number) == (batch.brand_id, batch.number)]
        refusals = [(entry.entry_index, SELECTORS[RefusalReason(str(entry.refused_reason))]) for entry in own]
        assert len(refusals) == batch.refused_count
        record = batch_record(batch.root, batch_outcome(batch.entry_count, refusals))
        assert ask(coalition, "batch", batch.brand_id, batch.number) == (record,)


def reservation_of(coalition: CoalitionBuilder, operation_id: str) -> str:
    reservation_id = coalition.operation(operation_id).reservation_id
    assert reservation_id is not None
    return reservation_id


def test_every_kind_of_entry_is_projected_as_the_contract_has_it(coalition: CoalitionBuilder) -> None:
    member, other, *_ = coalition.member_keys
    issues = [coalition.purchase(1, member, 50_000), coalition.purchase(2, member, 30_000), coalition.purchase(2, other, 20_000)]
    coalition.work_off()
    reserved = coalition.authorize(3, member, 600)
    voided = coalition.authorize(1, other, 50)
    coalition.work_off()
    captured = coalition.capture(3, reservation_of(coalition, reserved), 550)
    released = coalition.void(1, reservation_of(coalition, voided))
    redeemed = coalition.redeem(1, other, 120)
    coalition.work_off()
    given_back = coalition.point_refund(3, reservation_of(coalition, reserved), 75)
    coalition.work_off()
    operations = [*issues, reserved, voided, captured, released, redeemed, given_back]
    assert {coalition.operation(each).status for each in operations} == {"confirmed"}
    with coalition.database.read() as session:
        reservation = session.get_one(LedgerReservationRow, reservation_of(coalition, reserved))
        assert (reservation.status, reservation.points, reservation.captured, reservation.refunded) == ("captured", 600, 550, 75)
        kinds = set(session.scalars(select(LedgerEntryRow.kind)))
        named = session.scalars(select(LedgerEntryRow.member_id).where(LedgerEntryRow.kind.in_(("capture", "void", "point_refund"))))
        assert set(named) == {member, other}
    assert {"issue", "authorize", "capture", "void", "redeem", "point_refund"} <= kinds
    assert_contract_agrees(coalition)


def test_a_clawback_takes_what_is_there_and_says_what_is_short(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.purchase(1, member, 10_000, payment_id="clawed")
    coalition.work_off()
    coalition.redeem(2, member, 70)
    coalition.work_off()
    partly = coalition.refund_payment(1, "clawed", 5_000)
    coalition.work_off()
    wholly = coalition.refund_payment(1, "clawed", 5_000)
    coalition.work_off()
    assert coalition.operation(partly).status == "confirmed"
    assert (coalition.operation(wholly).status, coalition.operation(wholly).reason) == ("refused", "nothing_left_to_claw_back")
    with coalition.database.read() as session:
        short = dict(session.execute(select(AwardClawbackRow.operation_id, AwardClawbackRow.points_short)).all())
    assert (short[partly], short[wholly]) == (20, 50)
    assert_contract_agrees(coalition)


def test_an_expired_lot_goes_and_points_given_back_into_it_get_a_grace_lot(coalition: CoalitionBuilder) -> None:
    brand = coalition.add_brand(8, validity_months=1)
    member = coalition.add_member()
    coalition.work_off()
    coalition.purchase(8, member, 10_000)
    coalition.work_off()
    redeemed = coalition.redeem(2, member, 40)
    coalition.work_off()
    coalition.set_time(coalition.now + 70 * SECONDS_PER_DAY)
    expired = coalition.expire()
    coalition.work_off()
    given_back = coalition.point_refund(2, reservation_of(coalition, redeemed), 15)
    coalition.work_off()
    assert [coalition.operation(each).status for each in (*expired, given_back)] == ["confirmed"] * (len(expired) + 1)
    with coalition.database.read() as session:
        lots = session.scalars(select(LedgerMemberLotRow).where(LedgerMemberLotRow.member_id == member).order_by(LedgerMemberLotRow.lot_id))
        held = [(row.lot_id & 0xFFFFFFFF, row.held) for row in lots]
    grace = month_end(coalition.now // SECONDS_PER_DAY + 30)
    assert [points for _, points in held] == [0, 15]
    assert held[1][0] == grace
    assert brand.brand_id == 8
    assert_contract_agrees(coalition)


def test_an_entry_that_the_contract_refuses_is_projected_without_effect(coalition: CoalitionBuilder) -> None:
    """Packing predicts by the projection; here the brand's limit there is made to lag behind the contract's."""
    member = coalition.add_member()
    coalition.work_off()
    operation_id = coalition.purchase(3, member, 10_000)
    lower_limit_behind_the_gateway(coalition, 3)
    coalition.worker.sequencer.pack()
    coalition.work_off()
    operation = coalition.operation(operation_id)
    assert (operation.status, operation.reason) == ("refused", "LimitExceeded")
    with coalition.database.read() as session:
        entry = session.scalars(select(LedgerEntryRow).where(LedgerEntryRow.member_id == member)).one()
        assert (entry.refused_reason, entry.points) == ("LimitExceeded", 100)
        assert session.scalars(select(LedgerMemberLotRow).where(LedgerMemberLotRow.member_id == member)).all() == []
    assert_contract_agrees(coalition)


def lower_limit_behind_the_gateway(coalition: CoalitionBuilder, brand_id: int) -> None:
    """Governance lowers the limit, and nothing is followed before the next round is packed."""
    data, salt, facts = brands().call("setBrandLimit", brand_id, 0), Hash(bytes(31) + b"\x01"), coalition.coalition
    act = (facts.brands_address, 0, data, bytes(32), salt)
    good = coalition.now + 60, 2**40 - 1  # later than its proposal, by the approvers' clocks
    digest = approval_digest(facts.governance_domain, act_id(facts.brands_address, data, salt), *good)
    keys = sorted(approvers(), key=lambda key: key.address.lower())[:2]
    signed = [(*good, bytes(Account.unsafe_sign_hash(digest, key.key).signature)) for key in keys]
    submitter = coalition.worker.submitter
    with coalition.database.write() as session:
        for call in (governance().call("schedule", *act, 0), governance().call("executeApproved", *act, signed)):
            submitter.store(session, "behind", facts.governance_address, call, 600_000, 0, coalition.now)
    submitter.send_open()


def test_dropped_and_rebuilt_the_projection_has_the_same_rows(coalition: CoalitionBuilder) -> None:
    coalition.worker.follower.follow()
    before = projection_rows(coalition.database)
    with coalition.database.read() as session:
        operations = session.execute(select(*OperationRow.__table__.c).order_by(OperationRow.sequence)).all()
        references = set(session.execute(select(ReferenceRow.brand_id, ReferenceRow.reference, ReferenceRow.operation_id)))
    with coalition.database.write() as session:
        session.query(ReferenceRow).delete()
    coalition.worker.follower.rebuild()
    assert projection_rows(coalition.database) == before
    with coalition.database.read() as session:
        assert session.execute(select(*OperationRow.__table__.c).order_by(OperationRow.sequence)).all() == operations
        refilled = set(session.execute(select(ReferenceRow.brand_id, ReferenceRow.reference, ReferenceRow.operation_id)))
    assert refilled <= references
    confirmed = {row.reference for row in operations if row.status == "confirmed" and row.reference and row.batch_id}
    assert {reference for _, reference, _ in refilled} == confirmed


def test_a_projection_that_disagrees_with_the_ledger_is_not_written_on(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    coalition.purchase(1, member, 10_000)
    coalition.work_off()
    operation_id = coalition.redeem(2, member, 60)
    coalition.worker.sequencer.pack()
    with coalition.database.write() as session:
        session.execute(update(LedgerMemberLotRow).where(LedgerMemberLotRow.member_id == member).values(held=59))
    with pytest.raises(LedgerUnreadable, match="NotEnoughPoints"):
        coalition.work_off()
    assert coalition.operation(operation_id).status == "packed"
    coalition.worker.follower.rebuild()
    assert coalition.operation(operation_id).status == "confirmed"
    assert_contract_agrees(coalition)
