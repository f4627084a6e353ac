"""Clawback and expire entries: a brand takes back unreserved points of its own lots, and only what is there."""

from __future__ import annotations

from eth_keys import keys

from gateway.ledger.entries import Authorize, Clawback, Expire, Void
from gateway.ledger.lots import Line, lot_id
from gateway.ledger.refusals import RefusalReason
from tests.builders.points_ledger import PointsLedger

GROCER, FUEL = 1, 2
A_DAY = 86_400


def clawback(member: bytes, *lines: Line) -> Clawback:
    return Clawback(member, b"\x01" * 32, b"\x02" * 32, lines)


def test_a_clawback_takes_points_of_several_own_lots(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    ledger.submit(FUEL, [])
    assert ledger.submit(GROCER, [clawback(ann, Line(GROCER, expiry_day, 400))]) == []
    assert ledger.held(ann, GROCER, expiry_day) == (600, 0)
    assert ledger.outstanding(GROCER) == ledger.view("outstandingOfLot", lot_id(GROCER, expiry_day)) == 600


def test_a_clawback_of_another_brands_points_is_refused(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    entry = clawback(ann, Line(FUEL, 0, 1), Line(GROCER, expiry_day, 1))
    assert ledger.submit(GROCER, [entry]) == [(0, RefusalReason.NOT_OWN_LOT)]
    assert ledger.held(ann, GROCER, expiry_day) == (1_000, 0)


def test_a_clawback_beyond_what_the_lot_holds_takes_nothing(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    entries = [clawback(ann, Line(GROCER, expiry_day, 600), Line(GROCER, 0, 1)), clawback(ann, Line(GROCER, 0, 0))]
    assert ledger.submit(GROCER, entries) == [(0, RefusalReason.NOT_ENOUGH_POINTS), (1, RefusalReason.ZERO_POINTS)]
    assert ledger.held(ann, GROCER, expiry_day) == (1_000, 0)


def test_reserved_points_are_not_clawed_back(ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey) -> None:
    ledger.submit(FUEL, [ledger.consented(Authorize, FUEL, ann, [Line(GROCER, expiry_day, 300)], key=ann_key)])
    entries = [clawback(ann, Line(GROCER, expiry_day, 701)), clawback(ann, Line(GROCER, expiry_day, 700))]
    assert ledger.submit(GROCER, entries) == [(0, RefusalReason.NOT_ENOUGH_POINTS)]
    assert ledger.held(ann, GROCER, expiry_day) == (300, 300)


def test_a_lot_expires_at_the_end_of_its_last_local_day_and_not_before(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    expire = Expire(ann, expiry_day, 1_000)
    ledger.chain.set_time((expiry_day + 1) * A_DAY - 3_600 - 1)
    assert ledger.submit(GROCER, [expire]) == [(0, RefusalReason.LOT_NOT_EXPIRED)]
    assert ledger.submit(GROCER, [expire, expire]) == [(1, RefusalReason.POINTS_MISMATCH)]
    assert ledger.held(ann, GROCER, expiry_day) == (0, 0)
    assert ledger.outstanding(GROCER) == 0


def test_a_lot_that_never_expires_cannot_be_expired(ledger: PointsLedger, ann: bytes) -> None:
    assert ledger.submit(FUEL, [Expire(ann, 0, 500)]) == [(0, RefusalReason.LOT_NOT_EXPIRED)]


def test_an_expire_entry_names_exactly_what_is_unreserved(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    ledger.chain.set_time((expiry_day + 1) * A_DAY)
    entries = [Expire(ann, expiry_day, points) for points in (0, 999, 1_001, 1_000)]
    assert ledger.submit(GROCER, entries) == [
        (0, RefusalReason.ZERO_POINTS),
        (1, RefusalReason.POINTS_MISMATCH),
        (2, RefusalReason.POINTS_MISMATCH),
    ]


def test_reserved_points_outlive_their_lot_until_they_are_released(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    lot_end = (expiry_day + 1) * A_DAY - 3_600
    ledger.chain.set_time(lot_end - 10)
    line = Line(GROCER, expiry_day, 300)
    authorize = ledger.consented(Authorize, FUEL, ann, [line], key=ann_key, deadline=lot_end + 100)
    assert ledger.submit(FUEL, [authorize]) == []
    ledger.chain.set_time(lot_end)
    assert ledger.submit(GROCER, [Expire(ann, expiry_day, 1_000), Expire(ann, expiry_day, 700)]) == [(0, RefusalReason.POINTS_MISMATCH)]
    assert ledger.held(ann, GROCER, expiry_day) == (300, 300)
    void = Void(ledger.reservation_id(FUEL, authorize), bytes(32), (line,))
    assert ledger.submit(FUEL, [void]) == []
    assert ledger.submit(GROCER, [Expire(ann, expiry_day, 300)]) == []
    assert ledger.held(ann, GROCER, expiry_day) == (0, 0)
