"""Netting: how much of each claim is set off against what its creditor owes others, so that only net creditors are left to be paid.

A brand's claims are set off up to the worth of its own debts, never beyond; what is left over is rounded up to whole points.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from gateway.ledger.settlement import PairKey, SettledPair

ParOf = Callable[[int, int], Fraction]
"""(issuer, number of its terms) → what a point is worth, in minor units."""


def net_positions(pairs: Iterable[SettledPair], par_of: ParOf) -> dict[int, Fraction]:
    """{brand: claims less debts, in minor units}. The sum of all is zero."""
    net: dict[int, Fraction] = defaultdict(Fraction)
    for pair in pairs:
        worth = abs(pair.points) * par_of(pair.issuer, pair.terms)
        net[pair.creditor] += worth
        net[pair.debtor] -= worth
    return dict(net)


def netted_pairs(claims: Mapping[PairKey, int], par_of: ParOf) -> list[SettledPair]:
    """All of the claims (points in the sign of what is owed) in rising order, each with what of it is netted."""
    whole = [SettledPair(*key, points, abs(points)) for key, points in sorted(claims.items()) if points]
    to_be_paid = {brand: worth for brand, worth in net_positions(whole, par_of).items() if worth > 0}
    pairs = []
    for pair in whole:
        par, due = par_of(pair.issuer, pair.terms), to_be_paid.get(pair.creditor, Fraction(0))
        paid = min(abs(pair.points), -(-due // par))
        to_be_paid[pair.creditor] = max(due - paid * par, Fraction(0))
        pairs.append(SettledPair(*pair.key, pair.points, abs(pair.points) - paid))
    return pairs
