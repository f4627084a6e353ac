"""From captures to a settled claim on the ledger itself: what is owed stands for ever, what a brand is exposed to falls."""

from __future__ import annotations

from gateway.ledger.entries import Redeem
from gateway.ledger.lots import Line
from gateway.ledger.settlement import Paid, SettledPair, cycle_digest, cycle_over, paid_digest
from gateway.ledger.signing import Domain
from gateway.values.ids import Address, Hash
from tests.builders.ledger_chain import COALITION_ID, FOREVER, key_of
from tests.builders.points_ledger import PointsLedger, owner_key, signature
from tests.builders.settlement import as_call, as_tuple

GROCER, FUEL = 1, 2


def settle(ledger: PointsLedger, name: bytes, points: int, netted: int) -> None:
    """A cycle of one pair under the first terms; the creditor is paid."""
    domain = Domain(ledger.chain.chain_id, Address(ledger.settlement), Hash(COALITION_ID))
    pair = SettledPair(GROCER, FUEL, 1, points, netted)
    cycle = cycle_over(Hash(name.ljust(32)), 1, [pair], FOREVER)
    signatures = [signature(owner_key(brand), cycle_digest(domain, cycle)) for brand in cycle.brands]
    ledger.sent("agree", as_tuple(cycle), signatures)
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
