"""From captures to a settled claim on the ledger itself: what is owed stands for ever, what a brand is exposed to falls."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ledger.entries import Redeem
from gateway.ledger.lots import Line
from gateway.ledger.settlement import Cycle, Paid, SettledPair, cycle_digest, cycle_over, paid_digest
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash
from tests.builders.ledger_chain import COALITION_ID, FOREVER, key_of
from tests.builders.points_ledger import PointsLedger, owner_key, signature
from tests.builders.settlement import as_call, as_tuple

GROCER, FUEL = 1, 2


def agreed(ledger: PointsLedger, name: bytes, pairs: Sequence[SettledPair]) -> Cycle:
    domain = Domain(ledger.chain.chain_id, Address(ledger.settlement), Hash(COALITION_ID))
    cycle = cycle_over(Hash(name.ljust(32)), ledger.chain.block_number, pairs, FOREVER)
    signatures = [signature(owner_key(brand), cycle_digest(domain, cycle)) for brand in cycle.brands]
    ledger.sent("agree", as_tuple(cycle), signatures)
    return cycle


def settle(ledger: PointsLedger, name: bytes, points: int, netted: int) -> None:
    """A cycle of one pair under the first terms; the creditor is paid."""
    domain = Domain(ledger.chain.chain_id, Address(ledger.settlement), Hash(COALITION_ID))
    pair = SettledPair(GROCER, FUEL, 1, points, netted)
    cycle = agreed(ledger, name, [pair])
    before = ledger.view("exposure", GROCER, FUEL)
    ledger.sent("applyPairs", as_tuple(cycle), [as_call([pair], 0)])
    assert ledger.view("exposure", GROCER, FUEL) == before - pair.netted_points
    paid = Paid(cycle.record, pair.creditor, pair.debtor)
    ledger.sent("confirmPaid", as_tuple(cycle), [as_call([pair], 0)], signature(owner_key(pair.creditor), paid_digest(domain, paid)))
    assert ledger.view("exposure", GROCER, FUEL) == before - points


def test_captures_are_settled_and_refunds_after_that_too(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    line = Line(GROCER, expiry_day, 100)
    redeem = ledger.consented(Redeem, FUEL, ann, [line], key=key_of("ann"))
    assert ledger.submit(FUEL, [redeem]) == []
    assert (ledger.view("owed", GROCER, FUEL, 1), ledger.view("exposure", GROCER, FUEL)) == (100, 100)
    settle(ledger, b"first", 100, 60)
    assert (ledger.view("owed", GROCER, FUEL, 1), ledger.view("settled", GROCER, FUEL, 1)) == (100, 100)
    refund = ledger.refund(ledger.reservation_id(FUEL, redeem), [Line(GROCER, expiry_day, 30)])
    assert ledger.submit(FUEL, [refund]) == []
    assert ledger.view("exposure", GROCER, FUEL) == -30, "the acceptor owes"
    settle(ledger, b"second", -30, 10)
    assert (ledger.view("settled", GROCER, FUEL, 1), ledger.view("exposure", GROCER, FUEL)) == (70, 0)


def test_a_brand_keeps_no_claim_that_was_netted_by_giving_a_point_back(ledger: PointsLedger, ann: bytes, expiry_day: int) -> None:
    """Each owes the other 100; after both owners signed, one of them gives a point back by its batch key alone."""
    at_fuel = ledger.consented(Redeem, FUEL, ann, [Line(GROCER, expiry_day, 100)], key=key_of("ann"), nonce=1)
    at_grocer = ledger.consented(Redeem, GROCER, ann, [Line(FUEL, 0, 100)], key=key_of("ann"), nonce=2)
    assert ledger.submit(FUEL, [at_fuel]) == []
    assert ledger.submit(GROCER, [at_grocer]) == []
    pairs = [SettledPair(GROCER, FUEL, 1, 100, 100), SettledPair(FUEL, GROCER, 1, 100, 100)]
    cycle = agreed(ledger, b"each other", pairs)
    assert ledger.submit(FUEL, [ledger.refund(ledger.reservation_id(FUEL, at_fuel), [Line(GROCER, expiry_day, 1)])]) == []
    for index in (1, 0):
        ledger.sent("applyPairs", as_tuple(cycle), [as_call(pairs, index)])
    left = [ledger.view("owed", *key, 1) - ledger.view("settled", *key, 1) for key in ((GROCER, FUEL), (FUEL, GROCER))]
    assert left == [-1, 0], "the point that came back is the issuer's claim, and nothing else is left"
    assert [ledger.view("exposure", *key) for key in ((GROCER, FUEL), (FUEL, GROCER))] == [-1, 0]
