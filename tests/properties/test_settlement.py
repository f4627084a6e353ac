"""Random claims, netted here and settled by the contract: nothing is made or lost, whatever is given back in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.netting import net_positions, netted_pairs
from gateway.ledger.settlement import Paid, PairKey, SettledPair, SettlementRefused
from tests.builders.ledger_chain import Outcome
from tests.builders.settlement import Settling, as_call
from tests.depth import from_deep_on, in_a_soak

BRANDS = range(1, 6)
EXAMPLES = in_a_soak(1_000, from_deep_on(100, 25))

brand_ids = st.sampled_from(BRANDS)
keys = st.tuples(brand_ids, brand_ids, st.integers(1, 3)).filter(lambda key: key[0] != key[1])
points = st.one_of(st.integers(-100, 100), st.integers(-(2**61), 2**61))
claims = st.dictionaries(keys, points, max_size=20)


def par_of(issuer: int, terms: int) -> Fraction:
    return Fraction(issuer, 1 + 2 * terms)


@given(owed=claims)
def test_netting_leaves_only_net_creditors_to_be_paid(owed: dict[PairKey, int]) -> None:
    pairs = netted_pairs(owed, par_of)
    assert {pair.key: pair.points for pair in pairs} == {key: points for key, points in owed.items() if points}
    net = net_positions(pairs, par_of)
    assert sum(net.values()) == 0
    left: dict[int, Fraction] = defaultdict(Fraction)
    for pair in pairs:
        assert 0 <= pair.netted <= abs(pair.points)
        left[pair.creditor] += (abs(pair.points) - pair.netted) * par_of(pair.issuer, pair.terms)
    dearest = max(par_of(brand, 1) for brand in BRANDS)
    for brand in BRANDS:
        due = max(net.get(brand, Fraction(0)), Fraction(0))
        assert due <= left[brand] < due + dearest, "rounded up by less than a point"


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_random_cycles_settle_what_the_model_says_and_conserve(data: st.DataObject) -> None:
    settling = Settling(brands=max(BRANDS))
    model = settling.model
    for _ in range(data.draw(st.integers(1, 3), label="cycles")):
        settling.owe(data.draw(claims, label="owed more"))
        pairs = _chosen(settling, data)
        if not pairs:
            continue
        rival, cycle = settling.cycle(pairs[:1]), settling.agreed(pairs)
        settling.owe(data.draw(claims, label="owed since the cut-off"))
        for index in data.draw(st.lists(st.integers(0, len(pairs) - 1), max_size=len(pairs) + 2), label="applied"):
            outcome = settling.apply(cycle, as_call(pairs, index))
            _compare(settling, outcome, partial(model.apply, cycle, index, pairs[index], settling.chain.block_number))
        for index in data.draw(st.lists(st.integers(0, len(pairs) - 1), max_size=4), label="paid"):
            paid = Paid(cycle.record, pairs[index].creditor, pairs[index].debtor)
            outcome = settling.confirm(cycle, as_call(pairs, index), paid=paid)
            _compare(settling, outcome, partial(model.pay, cycle, index, pairs[index]))
        _compare(settling, settling.agree(rival), partial(model.agree, rival, settling.chain.block_number))
        assert not settling.is_agreed(rival), "over claims that the cycle has settled"
    _assert_conserved(settling)


def _compare(settling: Settling, outcome: Outcome, modeled: Callable[[], object]) -> None:
    """The contract did what the model does, or refused it for the same reason."""
    if outcome.succeeded:
        modeled()
        return
    with pytest.raises(SettlementRefused) as refused:
        modeled()
    assert settling.reverted(outcome)[0] == refused.value.reason


def _chosen(settling: Settling, data: st.DataObject) -> list[SettledPair]:
    """All that is left or parts of it; now and then a pair that asks for more."""
    left = {key: points for key in settling.model.owed if (points := settling.model.left(key))}
    pairs = netted_pairs(left, par_of)
    kept = data.draw(st.lists(st.sampled_from(pairs), unique_by=lambda pair: pair.key), label="pairs") if pairs else []
    more = [SettledPair(*pair.key, 2 * pair.points, pair.netted) for pair in kept if data.draw(st.integers(0, 9)) == 0]
    return kept + more


def _assert_conserved(settling: Settling) -> None:
    """Contract and model agree, and what was owed is exposed still, or was netted or paid by what the contract told."""
    model = settling.model
    for key in model.owed:
        assert settling.settled(*key) == model.settled[key]
    for pair, exposure in model.exposure.items():
        assert settling.exposure(*pair) == exposure
    discharged = 0
    for event in settling.told:
        if event.name == "PairApplied":
            discharged += event.values["netted"] * (-1 if event.values["points"] < 0 else 1)
        elif event.name == "PairPaid":
            discharged += event.values["points"]
    assert sum(model.owed.values()) == sum(model.exposure.values()) + discharged
