"""Authorize and redeem entries: nothing of a member's is reserved or spent without the member's consent to exactly that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_keys import keys

from gateway.ledger.consents import reservation_id_of
from gateway.ledger.entries import Authorize, ConsentProof, Issue, Redeem
from gateway.ledger.lots import Line, lot_id
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.signing import Domain
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import CHAIN_ID, key_of
from tests.builders.points_ledger import SECP256K1_ORDER, PointsLedger, member_named, signature

GROCER, FUEL = 1, 2
A_DAY = 86_400

Kind = type[Authorize] | type[Redeem]
both = pytest.mark.parametrize("kind", [Authorize, Redeem])


def test_a_redemption_takes_points_of_several_issuers_and_records_who_owes_whom(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    lines = [Line(GROCER, expiry_day, 700), Line(FUEL, 0, 50)]
    redeem = ledger.consented(Redeem, FUEL, ann, lines, key=ann_key)
    assert ledger.submit(FUEL, [redeem]) == []
    assert ledger.held(ann, GROCER, expiry_day) == (300, 0)
    assert ledger.held(ann, FUEL) == (450, 0)
    assert (ledger.outstanding(GROCER), ledger.outstanding(FUEL)) == (300, 450)
    assert ledger.view("owed", GROCER, FUEL, 1) == 700
    assert ledger.view("owed", FUEL, FUEL, 1) == 0, "a brand owes itself nothing"
    _, brand, deadline, stage, lots = ledger.view("reservation", ledger.reservation_id(FUEL, redeem))
    assert (brand, deadline, stage, lots) == (FUEL, redeem.deadline, 2, 2)
    lot = lot_id(GROCER, expiry_day)
    assert ledger.view("reservationLot", ledger.reservation_id(FUEL, redeem), lot) == (700, 700, 0, 7, 1)


def test_an_authorization_reserves_points_without_moving_them(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    authorize = ledger.consented(Authorize, FUEL, ann, [Line(GROCER, expiry_day, 300)], key=ann_key)
    assert ledger.submit(FUEL, [authorize]) == []
    assert ledger.held(ann, GROCER, expiry_day) == (1_000, 300)
    assert ledger.outstanding(GROCER) == 1_000
    assert ledger.view("owed", GROCER, FUEL, 1) == 0
    assert [event.name for event in ledger.events(ledger.last_outcome)] == ["BatchRecorded"]


@both
def test_a_consent_is_good_once(ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey, kind: Kind) -> None:
    entry = ledger.consented(kind, FUEL, ann, [Line(FUEL, 0, 10)], key=ann_key)
    as_redeem = Redeem(*(getattr(entry, name) for name in Redeem.__slots__))
    assert ledger.submit(FUEL, [entry, entry, as_redeem]) == [(1, RefusalReason.CONSENT_USED), (2, RefusalReason.CONSENT_USED)]
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.CONSENT_USED)]


@both
@pytest.mark.parametrize(
    "change",
    [{"points": 11, "lines": (Line(FUEL, 0, 11),)}, {"nonce": 8}, {"reference": b"\x09" * 32}, {"order": b"\x09" * 32}, {"discount": 1}],
)
def test_a_consent_to_something_else_is_not_by_an_authorizer(
    ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey, kind: Kind, change: dict[str, Any]
) -> None:
    entry = ledger.consented(kind, FUEL, ann, [Line(FUEL, 0, 10)], key=ann_key)
    assert ledger.submit(FUEL, [replace(entry, **change), entry]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]


@both
def test_a_consent_for_one_brand_is_worth_nothing_at_another(
    ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey, kind: Kind
) -> None:
    entry = ledger.consented(kind, FUEL, ann, [Line(FUEL, 0, 10)], key=ann_key)
    assert ledger.submit(GROCER, [entry]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]
    assert ledger.held(ann, FUEL) == (500, 0)


@both
def test_a_consent_by_a_stranger_or_in_another_coalition_is_refused(
    ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey, kind: Kind
) -> None:
    lines = [Line(FUEL, 0, 10)]
    by_stranger = ledger.consented(kind, FUEL, ann, lines, key=key_of("stranger"))
    entry = ledger.consented(kind, FUEL, ann, lines, key=ann_key)
    elsewhere = Domain(CHAIN_ID, ledger.address, b"\x0e" * 32)
    foreign = replace(entry, proof=ConsentProof(1, signature(ann_key, reservation_id_of(elsewhere, FUEL, entry))))
    assert ledger.submit(FUEL, [by_stranger, foreign]) == [
        (0, RefusalReason.NOT_AN_AUTHORIZER),
        (1, RefusalReason.NOT_AN_AUTHORIZER),
    ]


def test_a_member_who_is_not_enrolled_cannot_consent(ledger: PointsLedger) -> None:
    bob, bobs_key = member_named("bob"), key_of("bob")
    assert ledger.submit(FUEL, [Issue(bob, 0, 10, BASIS, bytes(32))]) == []
    entry = ledger.consented(Redeem, FUEL, bob, [Line(FUEL, 0, 10)], key=bobs_key)
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]
    ledger.enroll("bob")
    assert ledger.submit(FUEL, [entry]) == []


@both
def test_a_signature_that_is_no_good_form_is_refused_as_invalid(
    ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey, kind: Kind
) -> None:
    entry = ledger.consented(kind, FUEL, ann, [Line(FUEL, 0, 10)], key=ann_key)
    good = entry.proof.proof
    high_s = (SECP256K1_ORDER - int.from_bytes(good[32:64])).to_bytes(32)
    proofs = [
        ConsentProof(1, good[:32] + high_s + bytes([55 - good[64]])),
        ConsentProof(1, good[:64] + bytes([good[64] - 27])),
        ConsentProof(1, good[:64]),
        ConsentProof(1, good + b"\0"),
        ConsentProof(1, b""),
        ConsentProof(1, bytes(64) + b"\x1b"),
        ConsentProof(0, good),
        ConsentProof(2, good),
        ConsentProof(3, b""),
        ConsentProof(3, b"\xff\xff" + good),
    ]
    refused = ledger.submit(FUEL, [replace(entry, proof=proof) for proof in proofs])
    assert refused == [(index, RefusalReason.CONSENT_INVALID) for index in range(len(proofs))]
    assert ledger.submit(FUEL, [entry]) == []


@both
def test_a_consent_holds_until_its_deadline_and_at_most_seven_days(
    ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey, kind: Kind
) -> None:
    def entry(deadline: int, nonce: int) -> Authorize | Redeem:
        return ledger.consented(kind, FUEL, ann, [Line(FUEL, 0, 1)], key=ann_key, deadline=deadline, nonce=nonce)

    now = ledger.now
    entries = [entry(now - 1, 1), entry(now, 2), entry(now + 7 * A_DAY, 3), entry(now + 7 * A_DAY + 1, 4)]
    assert ledger.submit(FUEL, entries) == [(0, RefusalReason.CONSENT_EXPIRED), (3, RefusalReason.CONSENT_TOO_LONG)]


@both
def test_lines_must_add_up_to_the_consented_points(ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey, kind: Kind) -> None:
    lines = [Line(FUEL, 0, 10)]
    entries = [ledger.consented(kind, FUEL, ann, lines, key=ann_key, points=points) for points in (9, 11, 10)]
    assert ledger.submit(FUEL, entries) == [(0, RefusalReason.POINTS_MISMATCH), (1, RefusalReason.POINTS_MISMATCH)]


@both
def test_more_points_than_unreserved_are_refused_and_one_bad_line_spoils_all(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey, kind: Kind
) -> None:
    too_many = ledger.consented(kind, FUEL, ann, [Line(GROCER, expiry_day, 1), Line(FUEL, 0, 501)], key=ann_key)
    nothing = ledger.consented(kind, FUEL, ann, [Line(GROCER, expiry_day, 1), Line(FUEL, 0, 0)], key=ann_key)
    no_such_lot = ledger.consented(kind, FUEL, ann, [Line(9, 0, 1)], key=ann_key)
    assert ledger.submit(FUEL, [too_many, nothing, no_such_lot]) == [
        (0, RefusalReason.NOT_ENOUGH_POINTS),
        (1, RefusalReason.ZERO_POINTS),
        (2, RefusalReason.NOT_ENOUGH_POINTS),
    ]
    assert ledger.held(ann, GROCER, expiry_day) == (1_000, 0)
    first = ledger.consented(Authorize, FUEL, ann, [Line(FUEL, 0, 400)], key=ann_key, nonce=1)
    second = ledger.consented(kind, FUEL, ann, [Line(FUEL, 0, 101)], key=ann_key, nonce=2)
    assert ledger.submit(FUEL, [first, second]) == [(1, RefusalReason.NOT_ENOUGH_POINTS)]


@both
def test_an_expired_lot_is_neither_reserved_nor_redeemed(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey, kind: Kind
) -> None:
    lot_end = (expiry_day + 1) * A_DAY - 3_600
    ledger.chain.set_time(lot_end - 1)
    lines = [Line(GROCER, expiry_day, 1)]
    assert ledger.submit(FUEL, [ledger.consented(kind, FUEL, ann, lines, key=ann_key, nonce=1)]) == []
    assert ledger.now == lot_end
    assert ledger.submit(FUEL, [ledger.consented(kind, FUEL, ann, lines, key=ann_key, nonce=2)]) == [(0, RefusalReason.LOT_EXPIRED)]


def test_sixteen_lots_are_spent_at_once(ledger: PointsLedger, ann_key: keys.PrivateKey) -> None:
    for brand in range(3, 19):
        ledger.register(brand, exposed=False)
    for brand in range(4, 19):
        ledger.expose(3, brand, 18)
    ann = ledger.enroll("ann")
    for brand in range(3, 19):
        ledger.submit(brand, [Issue(ann, 0, brand, BASIS, bytes(32))])
    lines = [Line(brand, 0, brand) for brand in range(3, 19)]
    assert ledger.submit(3, [ledger.consented(Redeem, 3, ann, lines, key=ann_key)]) == []
    assert [ledger.view("owed", brand, 3, 1) for brand in range(3, 19)] == [0, *range(4, 19)]
