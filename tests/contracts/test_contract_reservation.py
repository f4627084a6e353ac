"""Capture, void and point refund entries: what becomes of a reservation, and of points given back."""

from __future__ import annotations

import pytest
from eth_keys import keys

from gateway.ledger.entries import Authorize, Capture, Expire, PointRefund, Redeem, Void, encode_entry
from gateway.ledger.lots import Line, grace_expiry_day
from gateway.ledger.refusals import RefusalReason
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger

GROCER, FUEL, DELI = 1, 2, 3
A_DAY = 86_400
REFERENCE = b"\x0c" * 32


class Reserved:
    """A reservation at the fuel station of 300 grocer's and 50 fuel points, open for an hour."""

    def __init__(self, ledger: PointsLedger, ann: bytes, expiry_day: int, key: keys.PrivateKey) -> None:
        self.ledger = ledger
        self.expiry_day = expiry_day
        self.deadline = ledger.now + 3_600
        authorize = ledger.consented(Authorize, FUEL, ann, self.lines(300, 50), key=key, deadline=self.deadline, nonce=99)
        assert ledger.submit(FUEL, [authorize]) == []
        self.id = ledger.reservation_id(FUEL, authorize)

    def lines(self, grocer_points: int, fuel_points: int) -> tuple[Line, Line]:
        return Line(GROCER, self.expiry_day, grocer_points), Line(FUEL, 0, fuel_points)

    def capture(self, grocer_points: int, fuel_points: int) -> Capture:
        return self.ledger.capture(self.id, self.lines(grocer_points, fuel_points), REFERENCE)

    def void(self) -> Void:
        return Void(self.id, REFERENCE, self.lines(300, 50))

    def refund(self, *lines: Line) -> PointRefund:
        return self.ledger.refund(self.id, lines, REFERENCE)


@pytest.fixture
def reserved(ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey) -> Reserved:
    return Reserved(ledger, ann, expiry_day, ann_key)


def test_a_full_capture_redeems_what_was_reserved(ledger: PointsLedger, ann: bytes, reserved: Reserved) -> None:
    assert ledger.submit(FUEL, [reserved.capture(300, 50)]) == []
    assert ledger.held(ann, GROCER, reserved.expiry_day) == (700, 0)
    assert ledger.held(ann, FUEL) == (450, 0)
    assert (ledger.view("owed", GROCER, FUEL, 1), ledger.view("owed", FUEL, GROCER, 1)) == (300, 0)
    assert (ledger.outstanding(GROCER), ledger.outstanding(FUEL)) == (700, 450)


def test_a_partial_capture_releases_the_rest(ledger: PointsLedger, ann: bytes, reserved: Reserved) -> None:
    assert ledger.submit(FUEL, [reserved.capture(120, 0)]) == []
    assert ledger.held(ann, GROCER, reserved.expiry_day) == (880, 0)
    assert ledger.held(ann, FUEL) == (500, 0)
    transfers = [event for event in ledger.events(ledger.last_outcome) if event.name == "TransferSingle"]
    assert len(transfers) == 1, "nothing moved in the lot of which nothing was captured"


def test_a_reservation_is_captured_or_voided_once(ledger: PointsLedger, reserved: Reserved) -> None:
    entries = [reserved.capture(100, 0), reserved.capture(100, 0), reserved.void()]
    assert ledger.submit(FUEL, entries) == [(1, RefusalReason.RESERVATION_CLOSED), (2, RefusalReason.RESERVATION_CLOSED)]


def test_a_capture_of_nothing_or_of_too_much_is_refused(ledger: PointsLedger, reserved: Reserved) -> None:
    entries = [reserved.capture(0, 0), reserved.capture(301, 0), reserved.capture(300, 51)]
    assert ledger.submit(FUEL, entries) == [
        (0, RefusalReason.ZERO_POINTS),
        (1, RefusalReason.TOO_MANY_POINTS),
        (2, RefusalReason.TOO_MANY_POINTS),
    ]


def test_a_capture_names_every_lot_of_the_reservation(ledger: PointsLedger, reserved: Reserved) -> None:
    grocer, fuel = reserved.lines(300, 50)
    lines = [(grocer,), (grocer, Line(GROCER, 0, 1)), (grocer, fuel, Line(GROCER, 0, 0)), (fuel, grocer)]
    refused = ledger.submit(FUEL, [ledger.capture(reserved.id, each, REFERENCE) for each in lines])
    assert refused == [(index, RefusalReason.LINES_MISMATCH) for index in range(3)]


def test_only_the_accepting_brand_captures(ledger: PointsLedger, reserved: Reserved) -> None:
    assert ledger.submit(GROCER, [reserved.capture(300, 50)]) == [(0, RefusalReason.NOT_ACCEPTING_BRAND)]


def test_an_unknown_reservation_is_refused(ledger: PointsLedger, reserved: Reserved) -> None:
    reserved.id = b"\x0f" * 32
    entries = [reserved.capture(1, 0), reserved.void(), reserved.refund(Line(FUEL, 0, 1))]
    assert ledger.submit(FUEL, entries) == [(index, RefusalReason.UNKNOWN_RESERVATION) for index in range(3)]


def test_a_capture_comes_no_later_than_the_deadline(ledger: PointsLedger, reserved: Reserved) -> None:
    ledger.chain.set_time(reserved.deadline + 1)
    assert ledger.submit(FUEL, [reserved.capture(300, 50)]) == [(0, RefusalReason.DEADLINE_PASSED)]


def test_a_capture_at_the_deadline_counts(ledger: PointsLedger, reserved: Reserved) -> None:
    ledger.chain.set_time(reserved.deadline)
    assert ledger.submit(FUEL, [reserved.capture(300, 50)]) == []


def test_reserved_points_are_captured_after_their_lot_expired(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    ledger.chain.set_time((expiry_day + 1) * A_DAY - 3_600 - 60)
    reserved = Reserved(ledger, ann, expiry_day, ann_key)
    ledger.chain.set_time((expiry_day + 1) * A_DAY - 3_600 + 60)
    assert ledger.submit(FUEL, [reserved.capture(300, 50)]) == []


def test_a_void_releases_everything(ledger: PointsLedger, ann: bytes, reserved: Reserved) -> None:
    assert ledger.submit(FUEL, [reserved.void()]) == []
    assert ledger.held(ann, GROCER, reserved.expiry_day) == (1_000, 0)
    assert ledger.held(ann, FUEL) == (500, 0)
    assert ledger.submit(FUEL, [reserved.void()]) == [(0, RefusalReason.RESERVATION_CLOSED)]


def test_a_void_names_exactly_what_was_reserved(ledger: PointsLedger, reserved: Reserved) -> None:
    grocer, fuel = reserved.lines(300, 50)
    elsewhere = [(grocer, Line(DELI, 0, points)) for points in (50, 0)]
    lines = [(grocer,), reserved.lines(299, 50), *elsewhere, (grocer, fuel, Line(DELI, 0, 0))]
    refused = ledger.submit(FUEL, [Void(reserved.id, REFERENCE, each) for each in lines])
    assert refused == [(index, RefusalReason.LINES_MISMATCH) for index in range(5)]


def test_what_is_longer_than_its_lines_is_malformed(ledger: PointsLedger, reserved: Reserved) -> None:
    entries = [encode_entry(each) + b"\0" for each in (reserved.capture(300, 50), reserved.void())]
    assert ledger.submit(FUEL, entries) == [(index, RefusalReason.MALFORMED_ENTRY) for index in range(2)]
    assert ledger.submit(FUEL, [reserved.capture(300, 50)]) == []
    refund = encode_entry(reserved.refund(*reserved.lines(100, 20)))
    assert ledger.submit(FUEL, [refund + b"\0"]) == [(0, RefusalReason.MALFORMED_ENTRY)]


def test_the_accepting_brand_alone_voids_also_after_the_deadline(ledger: PointsLedger, ann: bytes, reserved: Reserved) -> None:
    for time in (reserved.deadline, reserved.deadline + 1):
        ledger.chain.set_time(time)
        assert ledger.submit(GROCER, [reserved.void()]) == [(0, RefusalReason.NOT_ACCEPTING_BRAND)]
    assert ledger.submit(FUEL, [reserved.void()]) == []
    assert ledger.held(ann, FUEL) == (500, 0)


def test_a_point_refund_gives_back_to_the_original_lots_and_takes_off_what_is_owed(
    ledger: PointsLedger, ann: bytes, reserved: Reserved
) -> None:
    ledger.submit(FUEL, [reserved.capture(300, 50)])
    entries = [reserved.refund(Line(GROCER, reserved.expiry_day, 100)), reserved.refund(*reserved.lines(50, 50))]
    assert ledger.submit(FUEL, entries) == []
    assert ledger.held(ann, GROCER, reserved.expiry_day) == (850, 0)
    assert ledger.held(ann, FUEL) == (500, 0)
    assert ledger.view("owed", GROCER, FUEL, 1) == 150
    assert (ledger.outstanding(GROCER), ledger.outstanding(FUEL)) == (850, 500)


def test_a_point_refund_gives_back_no_more_than_was_captured(ledger: PointsLedger, reserved: Reserved) -> None:
    day = reserved.expiry_day
    entries = [reserved.refund(Line(GROCER, day, 1)), reserved.capture(120, 50)]
    assert ledger.submit(FUEL, entries) == [(0, RefusalReason.TOO_MANY_POINTS)]
    too_many, nothing = [(0, RefusalReason.TOO_MANY_POINTS)], [(0, RefusalReason.ZERO_POINTS)]
    for points, refused in ((121, too_many), (70, []), (51, too_many), (50, []), (1, too_many), (0, nothing)):
        assert ledger.submit(FUEL, [reserved.refund(Line(GROCER, day, points))]) == refused
    assert ledger.submit(FUEL, [reserved.refund(Line(GROCER, 0, 1))]) == too_many


def test_only_the_accepting_brand_refunds_points(ledger: PointsLedger, reserved: Reserved) -> None:
    ledger.submit(FUEL, [reserved.capture(300, 50)])
    assert ledger.submit(GROCER, [reserved.refund(*reserved.lines(1, 1))]) == [(0, RefusalReason.NOT_ACCEPTING_BRAND)]


def test_a_refund_of_a_void_reservation_gives_nothing(ledger: PointsLedger, reserved: Reserved) -> None:
    entries = [reserved.void(), reserved.refund(*reserved.lines(1, 1))]
    assert ledger.submit(FUEL, entries) == [(1, RefusalReason.TOO_MANY_POINTS)]


def test_a_point_refund_may_exceed_the_issuing_limit(ledger: PointsLedger, ann: bytes, reserved: Reserved) -> None:
    ledger.submit(FUEL, [reserved.capture(300, 50)])
    ledger.set_limit(GROCER, 700)
    assert ledger.submit(FUEL, [reserved.refund(*reserved.lines(300, 50))]) == []
    assert ledger.outstanding(GROCER) == 1_000


def test_points_of_an_expired_lot_come_back_in_the_grace_lot_and_expire_with_it(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    redeem = ledger.consented(Redeem, FUEL, ann, [Line(GROCER, expiry_day, 300)], key=ann_key)
    assert ledger.submit(FUEL, [redeem]) == []
    ledger.chain.set_time((expiry_day + 1) * A_DAY + 20 * A_DAY)
    grace = grace_expiry_day(ledger.now, UTC_OFFSET_SECONDS)
    assert grace > expiry_day
    refund = ledger.refund(ledger.reservation_id(FUEL, redeem), [Line(GROCER, expiry_day, 300)], REFERENCE)
    assert ledger.submit(FUEL, [refund]) == []
    assert ledger.held(ann, GROCER, expiry_day) == (700, 0)
    assert ledger.held(ann, GROCER, grace) == (300, 0)
    assert ledger.view("owed", GROCER, FUEL, 1) == 0
    ledger.chain.set_time((grace + 1) * A_DAY)
    assert ledger.submit(GROCER, [Expire(ann, grace, 300), Expire(ann, expiry_day, 700)]) == []
    assert ledger.outstanding(GROCER) == 0


def test_a_member_and_an_accepting_brand_put_expiry_off_together(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    """As often as they like: redeemed on the last day, given back on the next. docs/trust.md says so."""
    for nonce in range(3):
        ledger.chain.set_time((expiry_day + 1) * A_DAY - UTC_OFFSET_SECONDS - 3_600)
        redeem = ledger.consented(Redeem, FUEL, ann, [Line(GROCER, expiry_day, 1_000)], key=ann_key, nonce=nonce)
        assert ledger.submit(FUEL, [redeem]) == []
        ledger.chain.set_time((expiry_day + 1) * A_DAY - UTC_OFFSET_SECONDS + 3_600)
        assert ledger.submit(FUEL, [ledger.refund(ledger.reservation_id(FUEL, redeem), [Line(GROCER, expiry_day, 1_000)])]) == []
        later = grace_expiry_day(ledger.now, UTC_OFFSET_SECONDS)
        assert 30 <= later - expiry_day <= 62
        expiry_day = later
    assert ledger.held(ann, GROCER, expiry_day) == (1_000, 0)
    assert ledger.view("owed", GROCER, FUEL, 1) == 0
