"""After the deadline anybody releases what a brand left reserved, without a batch; what expired meanwhile is good for some time more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_keys import keys

from gateway.ledger.entries import Authorize, Void
from gateway.ledger.lots import Line, grace_expiry_day, lot_id
from gateway.ledger.refusals import RefusalReason
from tests.builders.governance_acts import GUARDIAN
from tests.builders.ledger_chain import key_of
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger, address_of

GROCER, FUEL = 1, 2
A_DAY = 86_400
REFERENCE = b"\x0c" * 32


class Left:
    """A reservation at the fuel station of 300 grocer's and 50 fuel points that nobody closes."""

    def __init__(self, ledger: PointsLedger, ann: bytes, expiry_day: int, key: keys.PrivateKey) -> None:
        self.lines = (Line(GROCER, expiry_day, 300), Line(FUEL, 0, 50))
        entry = ledger.consented(Authorize, FUEL, ann, self.lines, key=key)
        assert ledger.submit(FUEL, [entry]) == []
        self.id, self.deadline = ledger.reservation_id(FUEL, entry), entry.deadline
        self.lots = [line.lot_id for line in self.lines]


@pytest.fixture
def left(ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey) -> Left:
    return Left(ledger, ann, expiry_day, ann_key)


def test_anybody_releases_after_the_deadline_and_once(ledger: PointsLedger, ann: bytes, expiry_day: int, left: Left) -> None:
    ledger.chain.set_time(left.deadline)
    assert ledger.reverted(ledger.release(left.id, left.lots)) == "DeadlineNotPassed"
    ledger.chain.set_time(left.deadline + 1)
    outcome = ledger.release(left.id, left.lots)
    assert outcome.succeeded
    (event,) = ledger.events(outcome)
    assert (event.name, event.values["id"], event.values["brand"]) == ("ReservationReleased", left.id, FUEL)
    assert event.values["member"] == "0x" + ann.hex()
    assert (ledger.held(ann, GROCER, expiry_day), ledger.held(ann, FUEL)) == ((1_000, 0), (500, 0))
    assert (ledger.outstanding(GROCER), ledger.outstanding(FUEL)) == (1_000, 500)
    assert ledger.reverted(ledger.release(left.id, left.lots)) == "NothingToRelease"
    closed = [ledger.capture(left.id, left.lines), Void(left.id, REFERENCE, left.lines), ledger.refund(left.id, left.lines)]
    assert ledger.submit(FUEL, closed) == [
        (0, RefusalReason.RESERVATION_CLOSED),
        (1, RefusalReason.RESERVATION_CLOSED),
        (2, RefusalReason.TOO_MANY_POINTS),
    ]


def test_what_is_not_open_is_not_released(ledger: PointsLedger, left: Left) -> None:
    assert ledger.submit(FUEL, [ledger.capture(left.id, left.lines)]) == []
    ledger.chain.set_time(left.deadline + 1)
    for reservation_id in (left.id, b"\x0f" * 32):
        assert ledger.reverted(ledger.release(reservation_id, left.lots)) == "NothingToRelease"


@pytest.mark.parametrize(
    "other",
    [
        lambda first, second: [],
        lambda first, second: [first],
        lambda first, second: [second, first],
        lambda first, second: [first, first],
        lambda first, second: [first, second, second],
        lambda first, second: [first, lot_id(FUEL, 31)],
    ],
    ids=["none", "one missing", "descending", "twice", "one too many", "another"],
)
def test_a_release_names_all_lots_of_the_reservation_in_order(
    ledger: PointsLedger, ann: bytes, left: Left, other: Callable[[int, int], list[int]]
) -> None:
    ledger.chain.set_time(left.deadline + 1)
    assert ledger.reverted(ledger.release(left.id, other(*left.lots))) == "NotItsLots"
    assert ledger.held(ann, FUEL) == (500, 50)


def test_a_pause_keeps_nobody_from_a_release(ledger: PointsLedger, left: Left) -> None:
    assert ledger.chain.send(address_of(GUARDIAN), b"", value=10**18).succeeded
    ledger.sent("pause", sender=GUARDIAN)
    ledger.chain.set_time(left.deadline + 1)
    assert ledger.release(left.id, left.lots).succeeded


def test_points_that_expired_past_the_deadline_are_released_into_the_grace_lot(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    ledger.chain.set_time((expiry_day + 1) * A_DAY - UTC_OFFSET_SECONDS - 60)
    left = Left(ledger, ann, expiry_day, ann_key)
    ledger.chain.set_time(left.deadline + 1)
    grace = grace_expiry_day(ledger.now, UTC_OFFSET_SECONDS)
    outcome = ledger.release(left.id, left.lots)
    assert outcome.succeeded
    assert [event.name for event in ledger.events(outcome)] == ["TransferSingle", "TransferSingle", "ReservationReleased"]
    assert (ledger.held(ann, GROCER, expiry_day), ledger.held(ann, GROCER, grace)) == ((700, 0), (300, 0))
    assert (ledger.view("outstandingOfLot", lot_id(GROCER, expiry_day)), ledger.view("outstandingOfLot", lot_id(GROCER, grace))) == (
        700,
        300,
    )
    assert (ledger.outstanding(GROCER), ledger.held(ann, FUEL)) == (1_000, (500, 0))


@pytest.mark.parametrize(("seconds", "graced"), [(0, False), (1, True)])
def test_a_void_of_an_expired_lot_gets_the_grace_lot_when_it_comes_late_and_only_then(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey, seconds: int, graced: bool
) -> None:
    ledger.chain.set_time((expiry_day + 1) * A_DAY - UTC_OFFSET_SECONDS - 60)
    left = Left(ledger, ann, expiry_day, ann_key)
    ledger.chain.set_time(left.deadline + seconds)
    grace = grace_expiry_day(ledger.now, UTC_OFFSET_SECONDS)
    assert ledger.submit(FUEL, [Void(left.id, REFERENCE, left.lines)]) == []
    assert ledger.held(ann, GROCER, expiry_day) == ((700, 0) if graced else (1_000, 0))
    assert ledger.held(ann, GROCER, grace) == ((300, 0) if graced else (0, 0))


def test_the_digest_of_a_transfer_is_nothing_to_release(ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey) -> None:
    bob = ledger.enroll("bob")
    transfer = ledger.transfer(ann, bob, [Line(FUEL, 0, 5)], ann_key, key_of("bob"))
    assert ledger.submit(FUEL, [transfer]) == []
    ledger.chain.set_time(transfer.deadline + 1)
    (digest,) = ledger.model.state.reservations
    assert ledger.reverted(ledger.release(digest, [])) == "NothingToRelease"
