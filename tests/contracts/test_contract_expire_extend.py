"""Expire and extend entries: points of a lot end with it, all of them and not before, unless their brand moved them to a later one."""

from __future__ import annotations

import pytest
from eth_keys import keys

from gateway.ledger.entries import Authorize, Expire, Extend, Issue, Void, encode_entry
from gateway.ledger.lots import MAX_POINTS, Line, expiry_day_for, lot_id
from gateway.ledger.refusals import RefusalReason
from tests.builders.issues import BASIS
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger, member_named

GROCER, FUEL = 1, 2
A_DAY = 86_400


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


def test_a_lot_of_any_size_expires_as_a_whole(ledger: PointsLedger, expiry_day: int) -> None:
    bob = member_named("bob")
    ledger.set_limit(GROCER, 2**96 - 1)
    assert ledger.submit(GROCER, [Issue(bob, expiry_day, MAX_POINTS, BASIS, bytes(32))] * 3) == []
    ledger.chain.set_time((expiry_day + 1) * A_DAY)
    entries = [Expire(bob, expiry_day, MAX_POINTS), Expire(bob, expiry_day, 3 * MAX_POINTS)]
    assert ledger.submit(GROCER, entries) == [(0, RefusalReason.POINTS_MISMATCH)]
    assert ledger.outstanding(GROCER) == 0


# Extend


@pytest.fixture
def later(ledger: PointsLedger) -> int:
    """The month end two years ahead."""
    return expiry_day_for(ledger.now, UTC_OFFSET_SECONDS, 24)


def test_points_are_extended_to_a_later_lot(ledger: PointsLedger, ann: bytes, expiry_day: int, later: int) -> None:
    entries = [Extend(ann, expiry_day, later, 300, bytes(32)), Extend(ann, later, 0, 100, bytes(32))]
    assert ledger.submit(GROCER, entries) == []
    assert [ledger.held(ann, GROCER, day)[0] for day in (expiry_day, later, 0)] == [700, 200, 100]
    assert [ledger.view("outstandingOfLot", lot_id(GROCER, day)) for day in (expiry_day, later, 0)] == [700, 200, 100]
    assert ledger.outstanding(GROCER) == 1_000
    moves = [each.values for each in ledger.events(ledger.last_outcome) if each.name == "TransferSingle"]
    assert [(bytes.fromhex(each["from"][2:]), bytes.fromhex(each["to"][2:])) for each in moves] == [(ann, bytes(20)), (bytes(20), ann)] * 2


def test_points_never_get_an_earlier_end(ledger: PointsLedger, ann: bytes, expiry_day: int, later: int) -> None:
    days = [(later, expiry_day), (expiry_day, expiry_day), (0, later), (0, 0)]
    entries = [Extend(ann, source, destination, 1, bytes(32)) for source, destination in days]
    assert ledger.submit(GROCER, entries) == [(index, RefusalReason.LOT_NOT_LATER) for index in range(4)]


def test_an_extension_ends_on_a_month_end_to_come(ledger: PointsLedger, ann: bytes, expiry_day: int, later: int) -> None:
    assert ledger.submit(GROCER, [Extend(ann, expiry_day, later + 1, 1, bytes(32))]) == [(0, RefusalReason.EXPIRY_NOT_MONTH_END)]
    ledger.chain.set_time((later + 1) * A_DAY)
    assert ledger.submit(GROCER, [Extend(ann, expiry_day, later, 1, bytes(32))]) == [(0, RefusalReason.LOT_EXPIRED)]
    assert ledger.submit(GROCER, [Extend(ann, expiry_day, 0, 1, bytes(32))]) == [], "points that are still there may be kept alive"


def test_only_unreserved_points_of_the_brand_itself_are_extended(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    ledger.submit(FUEL, [ledger.consented(Authorize, FUEL, ann, [Line(GROCER, expiry_day, 300)], key=ann_key)])
    entries = [Extend(ann, expiry_day, 0, points, bytes(32)) for points in (0, 701, 700)]
    assert ledger.submit(GROCER, entries) == [(0, RefusalReason.ZERO_POINTS), (1, RefusalReason.NOT_ENOUGH_POINTS)]
    assert ledger.submit(FUEL, [Extend(ann, expiry_day, 0, 1, bytes(32))]) == [(0, RefusalReason.NOT_ENOUGH_POINTS)]
    assert ledger.held(ann, GROCER, expiry_day) == (300, 300)


def test_expire_and_extend_entries_have_one_length(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    packed = [encode_entry(entry) for entry in (Expire(ann, expiry_day, 1_000), Extend(ann, expiry_day, 0, 1, bytes(32)))]
    bad = [wrong for entry in packed for wrong in (entry[:-1], entry + b"\0")]
    assert ledger.submit(GROCER, bad) == [(index, RefusalReason.MALFORMED_ENTRY) for index in range(4)]
