"""Transfers: one member's points become another's when both have signed exactly that, lots unchanged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_keys import keys

from gateway.ledger.entries import Authorize, Capture, ConsentProof, Redeem, Transfer, Void, encode_entry
from gateway.ledger.lots import Line
from gateway.ledger.refusals import RefusalReason
from gateway.ledger.signing import Domain
from tests.builders.ledger_chain import CHAIN_ID, key_of
from tests.builders.points_ledger import PointsLedger

GROCER, FUEL, DELI = 1, 2, 3
A_DAY = 86_400
BOB = key_of("bob")


@pytest.fixture
def bob(ledger: PointsLedger) -> bytes:
    return ledger.enroll("bob")


@pytest.fixture
def transfer(ledger: PointsLedger, ann: bytes, bob: bytes, expiry_day: int, ann_key: keys.PrivateKey) -> Transfer:
    return ledger.transfer(ann, bob, [Line(GROCER, expiry_day, 600), Line(FUEL, 0, 500)], ann_key, BOB)


def test_points_of_several_brands_change_hands_and_nothing_else_changes(
    ledger: PointsLedger, ann: bytes, bob: bytes, expiry_day: int, transfer: Transfer
) -> None:
    ledger.register(DELI)
    assert ledger.submit(DELI, [transfer]) == [], "any brand that accepts carries it"
    assert (ledger.held(ann, GROCER, expiry_day), ledger.held(bob, GROCER, expiry_day)) == ((400, 0), (600, 0))
    assert (ledger.held(ann, FUEL), ledger.held(bob, FUEL)) == ((0, 0), (500, 0))
    assert (ledger.outstanding(GROCER), ledger.outstanding(FUEL)) == (1_000, 500)
    moved = [event.values for event in ledger.events(ledger.last_outcome) if event.name == "TransferSingle"]
    assert [(each["from"], each["to"], each["value"]) for each in moved] == [
        ("0x" + ann.hex(), "0x" + bob.hex(), 600),
        ("0x" + ann.hex(), "0x" + bob.hex(), 500),
    ]


def test_a_transfer_is_good_once_at_whatever_brand(ledger: PointsLedger, transfer: Transfer, ann_key: keys.PrivateKey) -> None:
    small = ledger.transfer(transfer.giver, transfer.taker, [Line(FUEL, 0, 1)], ann_key, BOB)
    assert ledger.submit(FUEL, [small, small]) == [(1, RefusalReason.CONSENT_USED)]
    assert ledger.submit(GROCER, [small]) == [(0, RefusalReason.CONSENT_USED)]
    (digest,) = ledger.model.state.reservations
    entries = [Capture(digest, bytes(32), 0, (Line(FUEL, 0, 1),)), Void(digest, bytes(32), (Line(FUEL, 0, 1),))]
    assert ledger.submit(FUEL, entries) == [(index, RefusalReason.RESERVATION_CLOSED) for index in range(2)]


def test_both_sides_sign(ledger: PointsLedger, transfer: Transfer, ann_key: keys.PrivateKey) -> None:
    giver, taker, lines = transfer.giver, transfer.taker, transfer.lines
    by_one = [ledger.transfer(giver, taker, lines, *signers) for signers in ((ann_key, ann_key), (BOB, BOB), (BOB, ann_key))]
    assert ledger.submit(FUEL, by_one) == [(index, RefusalReason.NOT_AN_AUTHORIZER) for index in range(3)]
    bad = [replace(transfer, giver_proof=ConsentProof(1, b"")), replace(transfer, taker_proof=ConsentProof(2, transfer.taker_proof.proof))]
    bad += [replace(transfer, giver_proof=ConsentProof(kind, transfer.giver_proof.proof)) for kind in (4, 5)]
    assert ledger.submit(FUEL, bad) == [(index, RefusalReason.CONSENT_INVALID) for index in range(4)]
    assert ledger.submit(FUEL, [transfer]) == []


def test_signatures_cover_every_field(ledger: PointsLedger, ann: bytes, transfer: Transfer, expiry_day: int) -> None:
    carol = ledger.enroll("carol")
    first, second = transfer.lines
    altered = [
        replace(transfer, giver=carol),
        replace(transfer, taker=carol),
        replace(transfer, nonce=1),
        replace(transfer, deadline=transfer.deadline - 1),
        replace(transfer, lines=(replace(first, points=601), second)),
        replace(transfer, lines=(second, first)),
        replace(transfer, lines=(first,)),
    ]
    reasons = dict(ledger.submit(FUEL, altered))
    assert reasons[0] == RefusalReason.NOT_ENOUGH_POINTS, "carol has none"
    assert {reasons[index] for index in range(1, 7)} == {RefusalReason.NOT_AN_AUTHORIZER}


def test_a_transfer_of_another_ledger_is_not_signed(ledger: PointsLedger, transfer: Transfer, ann_key: keys.PrivateKey) -> None:
    own, ledger.domain = ledger.domain, Domain(CHAIN_ID, ledger.address, b"\x0e" * 32)
    foreign = ledger.transfer(transfer.giver, transfer.taker, transfer.lines, ann_key, BOB)
    ledger.domain = own
    assert ledger.submit(FUEL, [foreign]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]


def test_a_transfer_holds_until_its_deadline_and_at_most_seven_days(
    ledger: PointsLedger, transfer: Transfer, ann_key: keys.PrivateKey
) -> None:
    now, sides = ledger.now, (transfer.giver, transfer.taker, [Line(FUEL, 0, 1)], ann_key, BOB)
    deadlines = (now - 1, now, now + 7 * A_DAY, now + 7 * A_DAY + 1)
    entries = [ledger.transfer(*sides, deadline=deadline) for deadline in deadlines]
    assert ledger.submit(FUEL, entries) == [(0, RefusalReason.CONSENT_EXPIRED), (3, RefusalReason.CONSENT_TOO_LONG)]


def test_reserved_expired_missing_and_no_points_are_not_transferred(
    ledger: PointsLedger, ann: bytes, bob: bytes, expiry_day: int, ann_key: keys.PrivateKey
) -> None:
    reserve = ledger.consented(Authorize, FUEL, ann, [Line(FUEL, 0, 400)], key=ann_key)
    lines = [[Line(FUEL, 0, 101)], [Line(FUEL, 0, 100), Line(GROCER, 0, 1)], [Line(FUEL, 0, 0)], [Line(FUEL, 0, 100)]]
    entries = [ledger.transfer(ann, bob, each, ann_key, BOB) for each in lines]
    assert ledger.submit(FUEL, [reserve, *entries]) == [
        (1, RefusalReason.NOT_ENOUGH_POINTS),
        (2, RefusalReason.NOT_ENOUGH_POINTS),
        (3, RefusalReason.ZERO_POINTS),
    ]
    ledger.chain.set_time((expiry_day + 1) * A_DAY)
    expired = ledger.transfer(ann, bob, [Line(GROCER, expiry_day, 1)], ann_key, BOB)
    assert ledger.submit(FUEL, [expired]) == [(0, RefusalReason.LOT_EXPIRED)]


def test_points_of_a_brand_in_default_still_change_hands(ledger: PointsLedger, bob: bytes, transfer: Transfer) -> None:
    ledger.set_status(GROCER, 5)
    assert ledger.submit(GROCER, [transfer]) == [(0, RefusalReason.BRAND_NOT_ACCEPTING)]
    assert ledger.submit(FUEL, [transfer]) == []


def test_a_member_who_transfers_to_itself_gains_nothing(ledger: PointsLedger, ann: bytes, ann_key: keys.PrivateKey) -> None:
    assert ledger.submit(FUEL, [ledger.transfer(ann, ann, [Line(FUEL, 0, 500)], ann_key, ann_key)]) == []
    assert ledger.held(ann, FUEL) == (500, 0)


def test_what_was_transferred_is_spent_by_its_new_holder(ledger: PointsLedger, bob: bytes, transfer: Transfer) -> None:
    spend = ledger.consented(Redeem, FUEL, bob, [Line(FUEL, 0, 500)], key=BOB)
    assert ledger.submit(FUEL, [spend, transfer]) == [(0, RefusalReason.NOT_ENOUGH_POINTS)]
    assert ledger.submit(FUEL, [spend]) == []


def test_a_transfer_of_another_form_is_malformed(ledger: PointsLedger, transfer: Transfer) -> None:
    good = encode_entry(transfer)
    first_length, second_length = 55, 57 + 65 + 1
    wrong = [
        good[:56],
        good[:-1],
        good + b"\0",
        good[:first_length] + b"\xff\xff" + good[first_length + 2 :],
        good[:second_length] + b"\xff\xff" + good[second_length + 2 :],
        good[:first_length] + b"\x00\x40" + good[first_length + 2 :],
    ]
    assert ledger.submit(FUEL, wrong) == [(index, RefusalReason.MALFORMED_ENTRY) for index in range(len(wrong))]
