"""Spending under a grant, as the ledger sees it: whose consent, which reservation id, and that a refused entry uses nothing up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils import keccak

from gateway.ledger.consents import brand_grant_digest
from gateway.ledger.entries import Authorize, ConsentProof, Issue, Redeem, encode_entry
from gateway.ledger.lots import Line
from gateway.ledger.refusals import RefusalReason
from gateway.values.calendar import local_day
from tests.builders.granting_ledger import GrantingLedger
from tests.builders.issues import BASIS
from tests.builders.ledger_chain import key_of
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger

GROCER, FUEL = 1, 2
AT_FUEL = FUEL.to_bytes(4)
BOB = key_of("bob")
TEN = [Line(FUEL, 0, 10)]
REFERENCE = keccak(text="purchase 7")

Kind = type[Authorize] | type[Redeem]
both = pytest.mark.parametrize("kind", [Authorize, Redeem])


@pytest.fixture
def ledger() -> GrantingLedger:
    return GrantingLedger((GROCER, FUEL))


@pytest.fixture
def bob(ledger: GrantingLedger) -> bytes:
    return ledger.enroll("bob")


@both
def test_another_member_spends_under_a_grant_with_a_consent_of_its_own(ledger: GrantingLedger, ann: bytes, bob: bytes, kind: Kind) -> None:
    entry = ledger.consented(kind, FUEL, ann, TEN, key=BOB, spender=bob)
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.GRANT_MISSING)]
    ledger.grant(ann, bob, 15)
    assert ledger.submit(FUEL, [entry]) == []
    member, *_ = ledger.view("reservation", ledger.reservation_id(FUEL, entry))
    assert member == "0x" + ann.hex(), "the points are hers, and come back to her"
    assert ledger.left(ann, bob) == 5
    assert ledger.view("lastDay") == local_day(ledger.chain.timestamp, UTC_OFFSET_SECONDS)
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.CONSENT_USED)]
    again = ledger.consented(kind, FUEL, ann, TEN, key=BOB, spender=bob, nonce=1)
    assert ledger.submit(FUEL, [again]) == [(0, RefusalReason.GRANT_EXCEEDED)]


def test_a_grant_needs_the_spenders_own_consent_to_exactly_this(ledger: GrantingLedger, ann: bytes, bob: bytes) -> None:
    ledger.grant(ann, bob, 100)
    carol = ledger.enroll("carol")
    good = ledger.consented(Redeem, FUEL, ann, TEN, key=BOB, spender=bob)
    as_members_own = replace(good, proof=ConsentProof(1, good.proof.proof[21:]))
    by_another = ledger.consented(Redeem, FUEL, ann, TEN, key=key_of("carol"), spender=bob)
    for_another = replace(good, proof=ConsentProof(4, carol + good.proof.proof[20:]))
    as_claim_key = replace(good, proof=ConsentProof(4, bob + b"\x02" + good.proof.proof[21:]))
    nested = replace(good, proof=ConsentProof(4, bob + b"\x04" + good.proof.proof))
    brands_own = replace(good, proof=ConsentProof(4, bob + b"\x05"))
    refused = ledger.submit(FUEL, [as_members_own, by_another, for_another, as_claim_key, nested, brands_own])
    assert [reason for _, reason in refused] == [RefusalReason.NOT_AN_AUTHORIZER] * 3 + [RefusalReason.CONSENT_INVALID] * 3
    assert (ledger.left(ann, bob), ledger.view("asked")) == (100, 0)


def test_the_givers_own_consent_does_not_stand_for_the_spenders(ledger: GrantingLedger, ann: bytes, bob: bytes) -> None:
    ledger.grant(ann, bob, 100)
    by_giver = ledger.consented(Redeem, FUEL, ann, TEN, key=key_of("ann"), spender=bob)
    assert ledger.submit(FUEL, [by_giver]) == [(0, RefusalReason.NOT_AN_AUTHORIZER)]


@both
def test_a_brand_takes_small_amounts_under_a_grant_each_reference_once(ledger: GrantingLedger, ann: bytes, kind: Kind) -> None:
    entry = ledger.by_brand_grant(kind, FUEL, ann, TEN, REFERENCE)
    assert ledger.submit(FUEL, [entry]) == [(0, RefusalReason.GRANT_MISSING)]
    ledger.grant(ann, AT_FUEL, 15)
    assert ledger.submit(FUEL, [entry]) == []
    assert ledger.reservation_id(FUEL, entry) == brand_grant_digest(ledger.domain, ann, FUEL, REFERENCE)
    other_terms = replace(entry, nonce=5, order=REFERENCE, discount=9)
    assert ledger.submit(FUEL, [entry, other_terms]) == [(0, RefusalReason.CONSENT_USED), (1, RefusalReason.CONSENT_USED)]
    next_one = ledger.by_brand_grant(kind, FUEL, ann, TEN, keccak(text="purchase 8"))
    assert ledger.submit(FUEL, [next_one]) == [(0, RefusalReason.GRANT_EXCEEDED)]
    assert ledger.left(ann, AT_FUEL) == 5


def test_a_grant_to_one_brand_is_none_to_another(ledger: GrantingLedger, ann: bytes) -> None:
    ledger.grant(ann, AT_FUEL, 15)
    assert ledger.submit(GROCER, [ledger.by_brand_grant(Redeem, GROCER, ann, TEN, REFERENCE)]) == [(0, RefusalReason.GRANT_MISSING)]


def test_an_entry_that_is_refused_for_anything_else_uses_no_grant_up(
    ledger: GrantingLedger, ann: bytes, bob: bytes, expiry_day: int
) -> None:
    ledger.grant(ann, AT_FUEL, 10_000)
    ledger.grant(ann, bob, 10_000)
    ledger.expose(FUEL, GROCER, 5)
    by_brand = ledger.by_brand_grant(Redeem, FUEL, ann, TEN, REFERENCE)
    hundred = ledger.by_brand_grant(Redeem, FUEL, ann, [Line(FUEL, 0, 100)], REFERENCE)
    entries = [
        replace(by_brand, deadline=1),
        replace(by_brand, deadline=by_brand.deadline + 8 * 86_400),
        replace(by_brand, lines=(Line(FUEL, 0, 501),), points=501),
        replace(by_brand, points=11),
        replace(hundred, discount=0),
        ledger.by_brand_grant(Redeem, FUEL, ann, [Line(GROCER, expiry_day, 6)], REFERENCE),
        ledger.consented(Redeem, FUEL, ann, TEN, key=key_of("stranger"), spender=bob),
    ]
    assert [reason for _, reason in ledger.submit(FUEL, entries)] == [
        RefusalReason.CONSENT_EXPIRED,
        RefusalReason.CONSENT_TOO_LONG,
        RefusalReason.NOT_ENOUGH_POINTS,
        RefusalReason.POINTS_MISMATCH,
        RefusalReason.DISCOUNT_TOO_LOW,
        RefusalReason.EXPOSURE_EXCEEDED,
        RefusalReason.NOT_AN_AUTHORIZER,
    ]
    assert ledger.view("asked") == 0
    assert ledger.submit(FUEL, [by_brand]) == []


def test_a_proof_of_a_grant_has_one_form(ledger: GrantingLedger, ann: bytes, bob: bytes) -> None:
    ledger.grant(ann, AT_FUEL, 100)
    ledger.grant(ann, bob, 100)
    good = ledger.by_brand_grant(Redeem, FUEL, ann, TEN, REFERENCE)
    wrong = [replace(good, proof=ConsentProof(5, b"\0")), *(replace(good, proof=ConsentProof(4, bytes(n))) for n in (0, 20))]
    assert ledger.submit(FUEL, wrong) == [(index, RefusalReason.MALFORMED_ENTRY) for index in range(3)]
    bare = replace(good, proof=ConsentProof(4, bob + b"\x01"))
    assert ledger.submit(FUEL, [bare]) == [(0, RefusalReason.CONSENT_INVALID)]


def test_a_spending_that_runs_out_of_gas_takes_the_whole_batch_with_it(ledger: GrantingLedger, ann: bytes) -> None:
    ledger.grant(ann, AT_FUEL, 100)
    ledger.sent("neverEnd", ann)
    number = ledger.next_number()
    data = b"".join(
        len(packed).to_bytes(2) + packed
        for packed in map(encode_entry, [Issue(ann, 0, 1, BASIS, bytes(32)), ledger.by_brand_grant(Redeem, FUEL, ann, TEN, REFERENCE)])
    )
    outcome = ledger.transact("submitBatch", *ledger.signed(FUEL, number, data))
    assert (outcome.succeeded, outcome.output) == (False, b"")
    assert ledger.view("batch", FUEL, number) == bytes(32)
    assert ledger.held(ann, FUEL) == (500, 0)


def test_the_deployed_register_grants_nothing_it_was_not_told() -> None:
    ledger = PointsLedger((GROCER, FUEL))
    ann = ledger.enroll("ann")
    assert ledger.submit(FUEL, [Issue(ann, 0, 10, BASIS, bytes(32))]) == []
    assert ledger.submit(FUEL, [ledger.by_brand_grant(Redeem, FUEL, ann, TEN, REFERENCE)]) == [(0, RefusalReason.GRANT_MISSING)]
