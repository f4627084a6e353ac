"""A reservation that its brand left behind is released without a brand acting, and the lateness costs the member nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.ledger.lots import grace_expiry_day, lot_id
from gateway.projection.tables import LedgerMemberLotRow, LedgerReservationRow
from gateway.rounds.outcomes import SPENDING_LIFETIME_SECONDS
from gateway.rounds.overdue import overdue_reservations
from gateway.values.calendar import SECONDS_PER_DAY
from tests.builders.coalition import CoalitionBuilder, running_coalition

GROCER, FUEL = 1, 2


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("coalition"), members=1) as builder:
        yield builder


def test_forty_points_of_a_silent_brand_are_free_again_after_the_deadline(coalition: CoalitionBuilder) -> None:
    (member,) = coalition.member_keys
    coalition.purchase(GROCER, member, 5_000)
    coalition.work_off()
    reserved = coalition.authorize(FUEL, member, 40, seconds=60)
    coalition.work_off()
    reservation_id = coalition.operation(reserved).reservation_id
    assert reservation_id is not None
    coalition.brands[FUEL].stop()

    def of_the_reservation() -> tuple[str, int, int]:
        with coalition.database.read() as session:
            status = session.get_one(LedgerReservationRow, reservation_id).status
            lots = session.query(LedgerMemberLotRow).filter_by(member_id=member).all()
            return status, sum(lot.held for lot in lots), sum(lot.reserved for lot in lots)

    coalition.worker.turn()
    assert of_the_reservation() == ("open", 50, 40), "not before its deadline"
    coalition.void(FUEL, reservation_id)  # which nobody signs, and which the release does not wait for
    coalition.turn_until(lambda: str(FUEL) in str(coalition.worker.health()["silent_signers"]))
    coalition.set_time(coalition.now + 61)
    coalition.turn_until(lambda: of_the_reservation()[0] == "voided")
    assert of_the_reservation() == ("voided", 50, 0)
    coalition.turn_until(lambda: not coalition.worker.sequencer.has_work())  # the void is refused by now, and that was all


def test_points_whose_lot_expired_meanwhile_come_back_in_the_grace_lot(coalition: CoalitionBuilder) -> None:
    (member,) = coalition.member_keys
    with coalition.database.read() as session:
        (lot,) = session.query(LedgerMemberLotRow).filter_by(member_id=member).all()
        expiry_day = lot.lot_id & 0xFFFFFFFF
    coalition.set_time((expiry_day + 1) * SECONDS_PER_DAY - 30)
    reserved = coalition.authorize(GROCER, member, 40, seconds=60)
    coalition.work_off()
    reservation_id = coalition.operation(reserved).reservation_id
    coalition.set_time((expiry_day + 1) * SECONDS_PER_DAY + 600)

    def is_released() -> bool:
        with coalition.database.read() as session:
            return session.get_one(LedgerReservationRow, reservation_id).status == "voided"

    coalition.turn_until(is_released)
    grace = lot_id(GROCER, grace_expiry_day(coalition.now, 0))
    with coalition.database.read() as session:
        held = {row.lot_id: (row.held, row.reserved) for row in session.query(LedgerMemberLotRow).filter_by(member_id=member)}
        assert held[grace] == (40, 0)
        assert overdue_reservations(session, coalition.now) == {}


def test_what_a_signer_was_asked_and_did_not_sign_in_time_keeps_no_reservation_open(coalition: CoalitionBuilder) -> None:
    member = coalition.add_member()
    coalition.work_off()
    coalition.purchase(GROCER, member, 5_000)
    coalition.brands[FUEL].start()
    coalition.work_off()
    reserved = coalition.authorize(FUEL, member, 40, seconds=60)
    coalition.work_off()
    reservation_id = coalition.operation(reserved).reservation_id
    assert reservation_id is not None
    coalition.capture(FUEL, reservation_id, 40)
    coalition.worker.sequencer.pack()
    with coalition.database.read() as session:
        assert not overdue_reservations(session, coalition.now + 61 - SPENDING_LIFETIME_SECONDS - 40), "not before its deadline"
        assert list(overdue_reservations(session, coalition.now + 61)) == [reservation_id]
    coalition.work_off()
