"""What a brand lets itself be owed by another, and the terms under which it is owed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_keys import keys

from gateway.ledger.entries import Authorize, Issue, Redeem, Void
from gateway.ledger.lots import Line
from gateway.ledger.refusals import RefusalReason
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import key_of
from tests.builders.points_ledger import TERMS, PointsLedger

GROCER, FUEL, DELI = 1, 2, 3
ANN = key_of("ann")
REFERENCE = b"\x0c" * 32

both = pytest.mark.parametrize("kind", [Authorize, Redeem])


@pytest.fixture
def ledger() -> PointsLedger:
    return PointsLedger((GROCER, FUEL), exposed=False)


def exposure(ledger: PointsLedger) -> int:
    shown = int(ledger.view("exposure", GROCER, FUEL))
    assert shown == ledger.model.state.exposure[GROCER, FUEL]
    return shown


@both
def test_a_brand_that_said_nothing_accepts_its_own_points_alone(
    ledger: PointsLedger, ann: bytes, expiry_day: int, kind: type[Authorize] | type[Redeem]
) -> None:
    own = ledger.consented(kind, FUEL, ann, [Line(FUEL, 0, 500)], key=ANN)
    foreign = ledger.consented(kind, FUEL, ann, [Line(GROCER, expiry_day, 1)], key=ANN)
    assert ledger.submit(FUEL, [own, foreign]) == [(1, RefusalReason.EXPOSURE_EXCEEDED)]
    ledger.expose(GROCER, FUEL, 5)
    assert ledger.submit(FUEL, [foreign]) == [(0, RefusalReason.EXPOSURE_EXCEEDED)], "the other way round is another matter"
    ledger.expose(FUEL, GROCER, 1)
    assert ledger.submit(FUEL, [foreign]) == []


@both
def test_no_more_is_accepted_than_was_said_over_all_entries_and_lots(
    ledger: PointsLedger, ann: bytes, expiry_day: int, kind: type[Authorize] | type[Redeem]
) -> None:
    assert ledger.submit(GROCER, [Issue(ann, 0, 100, BASIS, bytes(32))]) == []
    ledger.expose(FUEL, GROCER, 100)
    lots = [Line(GROCER, expiry_day, 60), Line(FUEL, 0, 1), Line(GROCER, 0, 41)]
    too_much = ledger.consented(kind, FUEL, ann, lots, key=ANN)
    first = ledger.consented(kind, FUEL, ann, [*lots[:2], Line(GROCER, 0, 30)], key=ANN)
    second, third = (ledger.consented(kind, FUEL, ann, [Line(GROCER, 0, points)], key=ANN) for points in (11, 10))
    entries = [too_much, first, second, third]
    assert ledger.submit(FUEL, entries) == [(0, RefusalReason.EXPOSURE_EXCEEDED), (2, RefusalReason.EXPOSURE_EXCEEDED)]
    assert exposure(ledger) == 100


def test_a_refused_entry_leaves_no_trace_in_the_exposure(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    ledger.expose(FUEL, GROCER, 100)
    forged = ledger.consented(Redeem, FUEL, ann, [Line(GROCER, expiry_day, 100)], key=key_of("stranger"))
    assert ledger.submit(FUEL, [forged]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]
    assert exposure(ledger) == 0


def test_exposure_follows_what_becomes_of_a_reservation(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    ledger.expose(FUEL, GROCER, 1_000)
    line = Line(GROCER, expiry_day, 200)
    entries = [ledger.consented(Authorize, FUEL, ann, [line], key=ANN, nonce=nonce) for nonce in range(3)]
    assert ledger.submit(FUEL, entries) == []
    captured, voided, released = (ledger.reservation_id(FUEL, entry) for entry in entries)
    assert exposure(ledger) == 600
    assert ledger.submit(FUEL, [ledger.capture(captured, [replace(line, points=150)])]) == []
    assert exposure(ledger) == 550, "what was not captured is released"
    assert ledger.submit(FUEL, [Void(voided, REFERENCE, (line,))]) == []
    assert exposure(ledger) == 350
    ledger.chain.set_time(entries[2].deadline + 1)
    assert ledger.release(released, [line.lot_id]).succeeded
    assert exposure(ledger) == 150
    assert ledger.submit(FUEL, [ledger.refund(captured, [replace(line, points=50)])]) == []
    assert exposure(ledger) == 100 == ledger.view("owed", GROCER, FUEL, 1)


def test_a_capture_is_never_held_to_the_exposure(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    ledger.expose(FUEL, GROCER, 100)
    line = Line(GROCER, expiry_day, 100)
    authorize = ledger.consented(Authorize, FUEL, ann, [line], key=ANN)
    assert ledger.submit(FUEL, [authorize]) == []
    ledger.expose(FUEL, GROCER, 0)
    again = ledger.consented(Authorize, FUEL, ann, [Line(GROCER, expiry_day, 1)], key=ANN)
    capture = ledger.capture(ledger.reservation_id(FUEL, authorize), [line])
    assert ledger.submit(FUEL, [again, capture]) == [(0, RefusalReason.EXPOSURE_EXCEEDED)]


def test_what_a_brand_said_is_an_event_and_can_be_read(ledger: PointsLedger) -> None:
    ledger.expose(FUEL, GROCER, 7)
    assert ledger.view("exposureLimit", FUEL, GROCER) == 7
    assert ledger.view("issuer", GROCER, FUEL) == (1, 1, 7)
    assert ledger.view("issuer", FUEL, GROCER) == (1, 1, 0)
    assert ledger.view("redemptionRate", FUEL) == (TERMS.redemption_minor, TERMS.redemption_points)
    assert ledger.view("issuer", DELI, FUEL) == (0, 0, 0)


def test_what_is_owed_goes_to_the_terms_of_the_authorization(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    ledger.expose(FUEL, GROCER, 1_000)
    line = Line(GROCER, expiry_day, 100)
    before, refunded = (ledger.consented(kind, FUEL, ann, [line], key=ANN, nonce=1) for kind in (Authorize, Redeem))
    refunded = ledger.consented(Redeem, FUEL, ann, [line], key=ANN, nonce=2)
    assert ledger.submit(FUEL, [before, refunded]) == []
    assert ledger.set_brand_terms(GROCER, replace(TERMS, par_minor=2)).succeeded
    after = ledger.consented(Redeem, FUEL, ann, [line], key=ANN, nonce=3)
    capture = ledger.capture(ledger.reservation_id(FUEL, before), [replace(line, points=70)])
    refund = ledger.refund(ledger.reservation_id(FUEL, refunded), [replace(line, points=30)])
    assert ledger.submit(FUEL, [after, capture, refund]) == []
    assert [ledger.view("owed", GROCER, FUEL, number) for number in (0, 1, 2)] == [0, 140, 100]


def test_terms_that_are_announced_count_once_they_hold(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    ledger.expose(FUEL, GROCER, 1_000)
    assert ledger.set_brand_terms(GROCER, replace(TERMS, fee_basis_points=60)).succeeded
    line, noticed = Line(GROCER, expiry_day, 10), ledger.now + TERMS.notice_days * 86_400
    assert ledger.submit(FUEL, [ledger.consented(Redeem, FUEL, ann, [line], key=ANN, nonce=1)]) == []
    ledger.chain.set_time(noticed)
    assert ledger.submit(FUEL, [ledger.consented(Redeem, FUEL, ann, [line], key=ANN, nonce=2)]) == []
    assert [ledger.view("owed", GROCER, FUEL, number) for number in (1, 2)] == [10, 10]


def test_points_that_come_back_give_room(ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey) -> None:
    ledger.expose(FUEL, GROCER, 10)
    redeem = ledger.consented(Redeem, FUEL, ann, [Line(GROCER, expiry_day, 10)], key=ann_key)
    assert ledger.submit(FUEL, [redeem]) == []
    assert ledger.submit(FUEL, [ledger.refund(ledger.reservation_id(FUEL, redeem), [Line(GROCER, expiry_day, 10)])]) == []
    assert exposure(ledger) == 0
    again = ledger.consented(Redeem, FUEL, ann, [Line(GROCER, expiry_day, 10)], key=ann_key, nonce=1)
    assert ledger.submit(FUEL, [again]) == []
