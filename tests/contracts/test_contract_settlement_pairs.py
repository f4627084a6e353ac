"""What an agreed cycle settles is applied by anybody, pair by pair and once, whatever is owed by then; paid parts by the creditor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from gateway.ledger.settlement import Cycle, Paid, SettledPair, SettlementRefused, paid_digest, paid_typed_data
from gateway.values.ids import Hash
from tests.builders.ledger_chain import key_of
from tests.builders.points_ledger import owner_key, signature
from tests.builders.settlement import Settling, as_call

PAIRS = [
    SettledPair(1, 2, 1, 100, 60),
    SettledPair(1, 2, 2, 7, 7),
    SettledPair(2, 3, 1, -50, 20),  # brand 3 gave back more than it took: brand 2's claim
    SettledPair(3, 1, 1, 60, 0),
]
MOST = 2**62  # that is settled in all under one version of terms
FARTHEST = -(2**63)  # points that a pair can name


@pytest.fixture
def settling() -> Settling:
    built = Settling(brands=4)
    built.owe({pair.key: pair.points for pair in PAIRS})
    return built


@pytest.fixture
def cycle(settling: Settling) -> Cycle:
    return settling.agreed(PAIRS)


def paid_by(cycle: Cycle, pair: SettledPair, **other: Any) -> Paid:
    return replace(Paid(cycle.record, pair.creditor, pair.debtor), **other)


def settle_one(settling: Settling, pair: SettledPair) -> tuple[Any, ...]:
    """What a cycle of this pair alone is refused for, by contract and model alike; empty if it is not."""
    cycle = settling.agreed([pair])
    outcome = settling.apply(cycle, as_call([pair], 0))
    if outcome.succeeded:
        assert settling.model.apply(cycle, 0, pair, settling.chain.block_number)
        return ()
    refused = settling.reverted(outcome)
    with pytest.raises(SettlementRefused, match=refused[0]):
        settling.model.apply(cycle, 0, pair, settling.chain.block_number)
    return refused


def test_a_pair_is_applied_by_anybody_with_its_branch(settling: Settling, cycle: Cycle) -> None:
    outcome = settling.apply(cycle, as_call(PAIRS, 0))
    assert outcome.succeeded, settling.reverted(outcome)
    assert settling.settled(1, 2, 1) == 100
    assert settling.exposure(1, 2) == 100 + 7 - 60, "by the netted part at once"
    (event,) = settling.events(outcome)
    assert (event.name, event.values) == (
        "PairApplied",
        {"cycle": cycle.record, "issuer": 1, "acceptor": 2, "index": 0, "terms": 1, "points": 100, "netted": 60},
    )


def test_versions_of_terms_are_settled_apart(settling: Settling, cycle: Cycle) -> None:
    assert settling.apply(cycle, as_call(PAIRS, 1)).succeeded
    assert (settling.settled(1, 2, 1), settling.settled(1, 2, 2)) == (0, 7)


def test_a_negative_pair_is_the_issuers_claim(settling: Settling, cycle: Cycle) -> None:
    assert settling.exposure(2, 3) == -50
    assert settling.apply(cycle, as_call(PAIRS, 2)).succeeded
    assert (settling.settled(2, 3), settling.exposure(2, 3)) == (-50, -30)
    as_acceptor = Paid(cycle.record, 3, 2)
    assert settling.reverted(settling.confirm(cycle, as_call(PAIRS, 2), paid=as_acceptor)) == ("PaidNotSignedBy", 2)
    assert settling.confirm(cycle, as_call(PAIRS, 2), paid=paid_by(cycle, PAIRS[2])).succeeded
    assert settling.exposure(2, 3) == 0


def test_all_pairs_at_once_in_any_order(settling: Settling, cycle: Cycle) -> None:
    outcome = settling.apply(cycle, *(as_call(PAIRS, index) for index in (3, 1, 0, 2)))
    assert outcome.succeeded, settling.reverted(outcome)
    assert [settling.settled(*pair.key) for pair in PAIRS] == [pair.points for pair in PAIRS]


def test_an_index_is_applied_once_and_passed_over_after(settling: Settling, cycle: Cycle) -> None:
    settling.owe({PAIRS[0].key: 100})
    assert settling.apply(cycle, as_call(PAIRS, 0)).succeeded
    again = settling.apply(cycle, as_call(PAIRS, 0), as_call(PAIRS, 3), as_call(PAIRS, 3))
    assert [event.values["index"] for event in settling.events(again)] == [3], "who comes first stops nobody"
    assert (settling.settled(1, 2), settling.exposure(1, 2)) == (100, 147)
    assert settling.settled(3, 1) == 60


def test_all_of_an_agreed_cycle_takes_effect_whatever_came_back_since(settling: Settling, cycle: Cycle) -> None:
    """Or one brand alone could keep the others' claims from being settled, by giving back a single point."""
    settling.owe({PAIRS[0].key: -1, PAIRS[2].key: 80, PAIRS[3].key: -60})
    settling.apply_all(cycle, PAIRS)
    assert [settling.settled(*pair.key) for pair in PAIRS] == [pair.points for pair in PAIRS]
    assert [settling.model.left(pair.key) for pair in PAIRS] == [-1, 0, 80, -60], "the other side's claim, where more came back"
    after = [SettledPair(1, 2, 1, -1, 1), SettledPair(2, 3, 1, 80, 0), SettledPair(3, 1, 1, -60, 60)]
    settling.apply_all(settling.agreed(after), after)
    assert [settling.model.left(pair.key) for pair in PAIRS] == [0, 0, 0, 0], "which the next cycle settles"


@pytest.mark.parametrize(
    "pair",
    [
        SettledPair(1, 2, 1, 101, 0),
        SettledPair(1, 2, 1, -1, 0),
        SettledPair(1, 2, 3, 1, 0),
        SettledPair(2, 3, 1, -51, 0),
        SettledPair(2, 3, 1, 1, 0),
        SettledPair(2, 1, 1, 1, 1),
        SettledPair(1, 1, 1, 1, 1),
        SettledPair(1, 2, 1, MOST, MOST),
        SettledPair(2, 3, 1, -MOST, MOST - 50),
    ],
    ids=["more", "the other sign", "other terms", "more back", "back's other sign", "not owed", "itself", "most", "least"],
)
def test_what_is_settled_beyond_what_is_owed_is_the_other_sides_claim(settling: Settling, pair: SettledPair) -> None:
    left, exposed = settling.model.left(pair.key), settling.exposure(pair.issuer, pair.acceptor)
    assert settle_one(settling, pair) == ()
    assert settling.settled(*pair.key) == pair.points
    assert settling.model.left(pair.key) == left - pair.points
    assert settling.exposure(pair.issuer, pair.acceptor) == exposed - pair.netted_points


@pytest.mark.parametrize("sign", [1, -1])
def test_no_sum_outgrows_its_readers(settling: Settling, sign: int) -> None:
    """Two owners who sign such pairs again and again stop nobody but themselves."""
    assert settle_one(settling, SettledPair(4, 1, 1, sign * MOST, 0)) == ()
    assert settle_one(settling, SettledPair(4, 1, 1, sign, 0)) == ("SettledOutOfRange", 0)
    assert settle_one(settling, SettledPair(4, 1, 1, -sign, 0)) == ()
    assert settle_one(settling, SettledPair(4, 1, 2, sign * MOST, MOST)) == ()
    assert settle_one(settling, SettledPair(4, 1, 3, sign, 1)) == ("ExposureOutOfRange", 4, 1), "of all versions of terms"
    assert settle_one(settling, SettledPair(4, 1, 3, -sign, 1)) == ()
    assert settle_one(settling, SettledPair(4, 1, 9, FARTHEST if sign < 0 else -FARTHEST - 1, 0)) == ("SettledOutOfRange", 0)


def test_what_is_left_to_be_paid_leads_no_exposure_beyond_its_readers(settling: Settling) -> None:
    pairs = [SettledPair(4, 1, 1, MOST, MOST), SettledPair(4, 1, 2, 1, 0)]
    cycle = settling.agreed(pairs)
    settling.apply_all(cycle, pairs)
    refused = settling.confirm(cycle, as_call(pairs, 1), paid=paid_by(cycle, pairs[1]))
    assert settling.reverted(refused) == ("ExposureOutOfRange", 4, 1)
    with pytest.raises(SettlementRefused, match="ExposureOutOfRange"):
        settling.model.pay(cycle, 1, pairs[1])


def test_less_than_what_is_owed_may_be_settled_and_the_rest_later(settling: Settling) -> None:
    for points in (40, 60):
        assert settle_one(settling, SettledPair(1, 2, 1, points, points)) == ()
    for key in ((1, 2, 1), (2, 3, 1), (3, 1, 1), (4, 1, 1)):
        assert settle_one(settling, SettledPair(*key, 0, 0)) == (), "nothing is settled"
    assert (settling.settled(1, 2), settling.exposure(1, 2)) == (100, 7)


@pytest.mark.parametrize("pair", [SettledPair(1, 2, 1, 100, 101), SettledPair(2, 3, 1, -50, 51), SettledPair(1, 2, 1, 0, 1)])
def test_no_more_is_netted_than_is_settled(settling: Settling, pair: SettledPair) -> None:
    assert settle_one(settling, pair) == ("NettedAboveSettled", 0)


def test_no_pair_of_a_brand_that_did_not_sign_is_applied(settling: Settling) -> None:
    settling.owe({(1, 4, 1): 10, (4, 1, 1): 10})
    for index, hidden in enumerate([SettledPair(1, 4, 1, 10, 10), SettledPair(4, 1, 1, 10, 10)]):
        pairs = [PAIRS[0], hidden]
        cycle = replace(settling.cycle(pairs), brands=(1, 2))
        assert settling.agree(cycle).succeeded
        assert settling.reverted(settling.apply(cycle, as_call(pairs, 1))) == ("BrandNotInCycle", 4), index
        with pytest.raises(SettlementRefused, match="BrandNotInCycle"):
            settling.model.apply(cycle, 1, hidden, settling.chain.block_number)


@pytest.mark.parametrize(
    "change",
    [
        {"index": 1},
        {"index": 4},
        {"index": 2**32 - 1},
        {"issuer": 3},
        {"acceptor": 3},
        {"terms": 2},
        {"points": 99},
        {"netted": 59},
        {"branch": []},
        {"branch": [bytes(32)] * 3},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_pair_than_the_one_under_the_root_is_refused(settling: Settling, cycle: Cycle, change: dict[str, Any]) -> None:
    altered = as_call(PAIRS, 0, **change)
    index = change.get("index", 0)
    assert settling.reverted(settling.apply(cycle, altered)) == ("PairNotUnderRoot", index)
    assert settling.reverted(settling.confirm(cycle, altered, paid=paid_by(cycle, PAIRS[0]))) == ("PairNotUnderRoot", index)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 33, 256, 257, 300])
def test_a_branch_of_every_size_leads_to_the_root_and_no_other_does(settling: Settling, size: int) -> None:
    pairs = [SettledPair(1, 2, 1, 0, 0) for _ in range(size - 1)] + [SettledPair(1, 2, 1, 5, 5)]
    pairs = [replace(pair, terms=1 + place) for place, pair in enumerate(pairs)]
    settling.owe({pairs[-1].key: 5})
    cycle = settling.agreed(pairs)
    for index in {0, size // 2, size - 1}:
        pair = as_call(pairs, index)
        *fields, branch = pair
        hostile = [[*branch, bytes(32)], [bytes(32), *branch], branch[:-1], branch[1:], list(reversed(branch)), [keccak(b"x"), *branch[1:]]]
        for other in hostile:
            if other != branch:
                assert settling.reverted(settling.apply(cycle, (*fields, other))) == ("PairNotUnderRoot", index)
        beyond = (index + 16 * size, *fields[1:], branch)
        assert settling.reverted(settling.apply(cycle, beyond)) == ("PairNotUnderRoot", index + 16 * size)
        assert len(settling.events(settling.apply(cycle, pair))) == 1
        again = settling.apply(cycle, pair)
        assert again.succeeded
        assert settling.events(again) == [], "once, whatever the place"


def test_a_tree_of_another_count_leads_nowhere(settling: Settling) -> None:
    """The seventeenth leaf is a node's only child, and stands at place 1 one level up."""
    pairs = [replace(PAIRS[0], terms=1 + place) for place in range(17)]
    cycle = settling.agreed(pairs)
    *fields, branch = as_call(pairs, 16)
    assert settling.reverted(settling.apply(cycle, (1, *fields[1:], branch))) == ("PairNotUnderRoot", 1)
    assert settling.reverted(settling.apply(replace(cycle, count=2), (1, *fields[1:], branch)))[0] == "CycleNotAgreed"


def test_only_the_cycle_that_was_agreed_is_applied(settling: Settling, cycle: Cycle) -> None:
    for other in (
        replace(cycle, brands=(*cycle.brands, 4)),
        replace(cycle, root=Hash(keccak(b"x"))),
        replace(cycle, count=3),
        replace(cycle, deadline=cycle.deadline - 1),
        replace(cycle, id=Hash(keccak(b"never agreed"))),
    ):
        assert settling.reverted(settling.apply(other, as_call(PAIRS, 0))) == ("CycleNotAgreed", other.record)
        refused = settling.confirm(other, as_call(PAIRS, 0), paid=paid_by(cycle, PAIRS[0]))
        assert settling.reverted(refused) == ("CycleNotAgreed", other.record)


def test_the_paid_part_falls_off_on_the_creditors_signature_once(settling: Settling, cycle: Cycle) -> None:
    settling.apply_all(cycle, PAIRS)
    paid = paid_by(cycle, PAIRS[0])
    outcome = settling.confirm(cycle, as_call(PAIRS, 0), as_call(PAIRS, 1), paid=paid)
    assert outcome.succeeded, settling.reverted(outcome)
    assert settling.exposure(1, 2) == 0, "one signature for all of a creditor and a debtor"
    assert [(event.name, event.values["index"], event.values["points"]) for event in settling.events(outcome)] == [
        ("PairPaid", 0, 40),
        ("PairPaid", 1, 0),
    ]
    settling.owe({PAIRS[0].key: 500})
    again = settling.confirm(cycle, as_call(PAIRS, 0), paid=paid)
    assert again.succeeded
    assert (settling.events(again), settling.exposure(1, 2)) == ([], 500)
    assert settling.settled(1, 2) == 100, "a confirmation settles nothing more"


def test_nothing_is_paid_before_it_is_applied(settling: Settling, cycle: Cycle) -> None:
    refused = settling.confirm(cycle, as_call(PAIRS, 0), paid=paid_by(cycle, PAIRS[0]))
    assert settling.reverted(refused) == ("PairNotApplied", 0)
    with pytest.raises(SettlementRefused, match="PairNotApplied"):
        settling.model.pay(cycle, 0, PAIRS[0])


def test_nobody_but_the_creditors_owner_says_that_it_was_paid(settling: Settling, cycle: Cycle) -> None:
    settling.apply_all(cycle, PAIRS)
    paid, pair = paid_by(cycle, PAIRS[0]), as_call(PAIRS, 0)
    for key in (owner_key(1), owner_key(3), key_of("operator"), key_of("brand 2")):
        assert settling.reverted(settling.confirm(cycle, pair, paid=paid, key=key)) == ("PaidNotSignedBy", 2)
    other_cycle = settling.cycle(PAIRS)
    for change in ({"cycle": other_cycle.record}, {"cycle": cycle.id}, {"debtor": 3}, {"creditor": 3}):
        other = replace(paid, **change)
        assert settling.reverted(settling.confirm(cycle, pair, paid=other, key=owner_key(2))) == ("PaidNotSignedBy", 2)
    assert settling.exposure(1, 2) == 40
    settling.set_owner(2, key_of("successor"))
    assert settling.reverted(settling.confirm(cycle, pair, paid=paid)) == ("PaidNotSignedBy", 2)
    assert settling.confirm(cycle, pair, paid=paid, key=key_of("successor")).succeeded


def test_another_creditors_pair_is_not_confirmed_along(settling: Settling, cycle: Cycle) -> None:
    settling.apply_all(cycle, PAIRS)
    refused = settling.confirm(cycle, as_call(PAIRS, 0), as_call(PAIRS, 3), paid=paid_by(cycle, PAIRS[0]))
    assert settling.reverted(refused) == ("PaidNotSignedBy", 1)
    assert settling.exposure(1, 2) == 40, "all or none"


def test_the_typed_data_of_a_wallet_confirms(settling: Settling, cycle: Cycle) -> None:
    paid = paid_by(cycle, PAIRS[0])
    shown = encode_typed_data(full_message=paid_typed_data(settling.domain, paid))
    signed = Account.sign_message(shown, owner_key(2).to_bytes())
    assert bytes(signed.signature) == signature(owner_key(2), paid_digest(settling.domain, paid))
