"""Clearing: the matrix leaves out what a brand owes itself, and net positions sum to zero."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from gateway.clearing.positions import net_positions, owed_between
from gateway.values.money import Money, Ratio

brands = some.integers(1, 6)
matrices = some.dictionaries(some.tuples(brands, brands), some.integers(0, 10**9), max_size=20)
pars = some.fixed_dictionaries({brand: some.builds(Ratio, some.integers(1, 99), some.integers(1, 99)) for brand in range(1, 7)})


@given(matrices, pars)
def test_net_positions_sum_to_zero_in_points_and_in_money(points: dict[tuple[int, int], int], par: dict[int, Ratio]) -> None:
    owed = owed_between(points, par, "USD")
    net = net_positions(owed, list(range(1, 7)), "USD")
    assert sum(one.points for one in net) == 0
    assert sum(one.money.amount_minor for one in net) == 0
    for one in owed:
        assert one.money.amount_minor * one.remainder_of + one.remainder == one.points * par[one.issuer_id].numerator


def test_a_brand_owes_itself_nothing() -> None:
    owed = owed_between({(1, 1): 50, (1, 2): 10, (2, 1): 0}, {1: Ratio(1, 3), 2: Ratio(1, 1)}, "USD")
    assert [(one.issuer_id, one.acceptor_id, one.money, one.remainder) for one in owed] == [(1, 2, Money(3, "USD"), 1)]
