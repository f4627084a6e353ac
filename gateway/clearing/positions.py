"""Clearing: who owes whom because one brand accepted points that another issued.

Money is computed once per pair, points x the issuer's par rounded down, the remainder shown; so net positions in money sum to zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.values.money import AmountMinor, Money, Ratio


@dataclass(frozen=True, slots=True)
class Owed:
    """What the issuer owes the accepting brand. `remainder` is what rounding left over, in 1/`remainder_of` of a minor unit."""

    issuer_id: int
    acceptor_id: int
    points: int
    money: Money
    remainder: int
    remainder_of: int


@dataclass(frozen=True, slots=True)
class NetPosition:
    """A brand's figure after netting; positive = it is owed."""

    brand_id: int
    points: int
    money: Money


def owed_between(points: Mapping[tuple[int, int], int], par: Mapping[int, Ratio], currency: str) -> list[Owed]:
    """The matrix of (issuer, acceptor) pairs; points a brand accepted of its own are owed to nobody and left out."""
    return [
        Owed(
            issuer,
            acceptor,
            count,
            Money(par[issuer].minor_for(count), currency),
            par[issuer].remainder_for(count),
            par[issuer].denominator,
        )
        for (issuer, acceptor), count in sorted(points.items())
        if issuer != acceptor and count != 0
    ]


def net_positions(owed: list[Owed], brand_ids: list[int], currency: str) -> list[NetPosition]:
    """In less out for each brand."""
    points = dict.fromkeys(brand_ids, 0)
    money = dict.fromkeys(brand_ids, Money(AmountMinor(0), currency))
    for item in owed:
        points[item.acceptor_id] += item.points
        points[item.issuer_id] -= item.points
        money[item.acceptor_id] += item.money
        money[item.issuer_id] -= item.money
    assert sum(points.values()) == 0, "net positions in points sum to zero"
    assert sum(figure.amount_minor for figure in money.values()) == 0, "net positions in money sum to zero"
    return [NetPosition(brand_id, points[brand_id], money[brand_id]) for brand_id in brand_ids]
