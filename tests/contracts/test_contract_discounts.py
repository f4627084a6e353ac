"""The discount of a redemption: no less than the accepting brand's terms give, and in shares that leave nothing over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_keys import keys

from gateway.ledger.entries import Authorize, Issue, PointRefund, Redeem, encode_entry
from gateway.ledger.lots import Line, lot_id
from gateway.ledger.packed_fields import MalformedEntry
from gateway.ledger.refusals import RefusalReason
from tests.builders.issues import BASIS
from tests.builders.points_ledger import TERMS, PointsLedger

GROCER, FUEL = 1, 2
REFERENCE = b"\x0c" * 32

both = pytest.mark.parametrize("kind", [Authorize, Redeem])


@both
def test_a_discount_is_at_least_what_the_accepting_brand_gives_rounded_down(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey, kind: type[Authorize] | type[Redeem]
) -> None:
    assert ledger.set_brand_terms(FUEL, replace(TERMS, redemption_minor=3, redemption_points=2)).succeeded
    lines = [Line(GROCER, expiry_day, 99)]
    entries = [ledger.consented(kind, FUEL, ann, lines, key=ann_key, discount=discount) for discount in (0, 147, 148, 500)]
    entries = [replace(entry, nonce=entry.nonce) for entry in entries]
    assert ledger.submit(FUEL, entries[:2]) == [(0, RefusalReason.DISCOUNT_TOO_LOW), (1, RefusalReason.DISCOUNT_TOO_LOW)]
    assert ledger.submit(FUEL, entries[2:]) == [], "a brand may give more than it must"


def test_the_rate_that_counts_is_the_accepting_brands_and_the_one_that_holds(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    assert ledger.set_brand_terms(GROCER, replace(TERMS, redemption_minor=50)).succeeded
    at_fuel = ledger.consented(Redeem, FUEL, ann, [Line(GROCER, expiry_day, 100)], key=ann_key, discount=1)
    at_grocer = ledger.consented(Redeem, GROCER, ann, [Line(FUEL, 0, 100)], key=ann_key, discount=49)
    assert ledger.submit(FUEL, [at_fuel]) == []
    assert ledger.submit(GROCER, [at_grocer]) == [(0, RefusalReason.DISCOUNT_TOO_LOW)]
    assert ledger.set_brand_terms(GROCER, TERMS).succeeded, "a lower rate waits for its notice"
    assert ledger.submit(GROCER, [at_grocer]) == [(0, RefusalReason.DISCOUNT_TOO_LOW)]
    ledger.chain.set_time(ledger.now + TERMS.notice_days * 86_400)
    late = ledger.consented(Redeem, GROCER, ann, [Line(FUEL, 0, 100)], key=ann_key, discount=1, nonce=1)
    assert ledger.submit(GROCER, [late]) == []


def test_a_capture_carries_its_share_rounded_up_and_no_other(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    lines = (Line(GROCER, expiry_day, 300), Line(FUEL, 0, 50))
    authorize = ledger.consented(Authorize, FUEL, ann, lines, key=ann_key, discount=1_000)
    assert ledger.submit(FUEL, [authorize]) == []
    reservation_id = ledger.reservation_id(FUEL, authorize)
    lot = lot_id(GROCER, expiry_day)
    assert ledger.view("reservationLot", reservation_id, lot) == (300, 0, 0, 858, 1), "ceil(1,000 × 300 ÷ 350)"
    assert ledger.view("reservationLot", reservation_id, lot_id(FUEL, 0)) == (50, 0, 0, 142, 0)
    capture = ledger.capture(reservation_id, (Line(GROCER, expiry_day, 100), Line(FUEL, 0, 1)))
    assert capture.discount == 289, "ceil(1,000 × 101 ÷ 350)"
    wrong = [replace(capture, discount=discount) for discount in (288, 290, 1_000, 0)]
    assert ledger.submit(FUEL, [*wrong, capture]) == [(index, RefusalReason.DISCOUNT_MISMATCH) for index in range(4)]
    assert ledger.view("reservationLot", reservation_id, lot) == (300, 100, 0, 287, 1)
    assert ledger.view("reservationLot", reservation_id, lot_id(FUEL, 0)) == (50, 1, 0, 2, 0)


def test_point_refunds_give_the_whole_discount_back_in_whatever_parts(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    lines = [Line(GROCER, expiry_day, 300), Line(FUEL, 0, 50)]
    redeem = ledger.consented(Redeem, FUEL, ann, lines, key=ann_key, discount=1_001)
    assert ledger.submit(FUEL, [redeem]) == []
    reservation_id, given_back = ledger.reservation_id(FUEL, redeem), 0
    for grocer, fuel in ((1, 0), (0, 7), (200, 1), (98, 42), (1, 0)):
        part = [line for line in (Line(GROCER, expiry_day, grocer), Line(FUEL, 0, fuel)) if line.points]
        refund = ledger.refund(reservation_id, part)
        wrong = [replace(refund, discount=refund.discount + 1), replace(refund, discount=2**64 - 1)]
        assert ledger.submit(FUEL, [*wrong, refund]) == [(0, RefusalReason.DISCOUNT_MISMATCH), (1, RefusalReason.DISCOUNT_MISMATCH)]
        given_back += refund.discount
    assert given_back == 1_001
    again = PointRefund(reservation_id, REFERENCE, 0, (Line(FUEL, 0, 1),))
    assert ledger.submit(FUEL, [again]) == [(0, RefusalReason.TOO_MANY_POINTS)]


@both
def test_what_a_reservation_cannot_keep_is_refused(
    ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey, kind: type[Authorize] | type[Redeem]
) -> None:
    ledger.set_limit(FUEL, 2**96 - 1)
    assert ledger.submit(FUEL, [Issue(ann, 0, 2**63, BASIS, bytes(32))]) == []
    entries = [ledger.consented(kind, FUEL, ann, [Line(FUEL, 0, points)], key=ann_key, discount=2**56 - 1) for points in (2**56, 2**56 - 1)]
    good = encode_entry(entries[1])
    too_much = good[:106] + (2**56).to_bytes(8) + good[114:]
    assert ledger.submit(FUEL, [entries[0], too_much, good]) == [(0, RefusalReason.TOO_MANY_POINTS), (1, RefusalReason.MALFORMED_ENTRY)]
    with pytest.raises(ValueError, match="beyond what the ledger keeps"):
        encode_entry(replace(entries[1], discount=2**56))
    assert not issubclass(ValueError, MalformedEntry)
