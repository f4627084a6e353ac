"""The coalition that is measured: brands of unequal size, each with an agent, tills and an earning rule."""

from __future__ import annotations

from scripts.demo.coalition import DemoBrand

SHARES = (30, 20, 15, 12, 10, 6, 4, 3)  # parts of the purchases
POINTS_LIMIT = 10**12


def brands_of(count: int) -> list[DemoBrand]:
    """The `count` largest."""
    return [
        DemoBrand(number, f"shop-{number}", f"Shop {number}", 1, 12, (1, 1), (1, 1), "", has_agent=True, points_limit=POINTS_LIMIT)
        for number in range(1, count + 1)
    ]


def in_shares(count: int) -> list[int]:
    """Places of brands, from 0, in an order in which each comes as often as its share and never long after its turn."""
    shares = SHARES[:count]
    due = [0] * count
    order = []
    for _ in range(sum(shares)):
        due = [waiting + share for waiting, share in zip(due, shares, strict=True)]
        place = due.index(max(due))
        due[place] -= sum(shares)
        order.append(place)
    return order
