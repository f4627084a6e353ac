"""The clearing matrix and net positions, from the projection."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.brands.ports import Brands
from gateway.clearing.positions import net_positions, owed_between
from gateway.projection.tables import LedgerBlockRow, LedgerOwedRow


@dataclass(frozen=True, slots=True)
class OwedView:
    """What is owed and not settled. `amount_minor` = floor(points x issuer's par); what rounding left over is
    remainder_numerator / remainder_denominator minor units."""

    issuer_id: int
    acceptor_id: int
    points: int
    amount_minor: int
    remainder_numerator: int
    remainder_denominator: int


@dataclass(frozen=True, slots=True)
class NetView:
    """Positive: the brand is owed. The net positions of all brands sum to zero, in points and in money."""

    brand_id: int
    brand_name: str
    points: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ClearingView:
    currency: str
    block_number: int | None
    owed: list[OwedView]
    net: list[NetView]


def clearing(session: Session, currency: str, *, brands: Brands) -> ClearingView:
    """Who owes whom as of the head of the projection."""
    by_id = {brand.brand_id: brand for brand in brands.all()}
    row = LedgerOwedRow
    points: dict[tuple[int, int], int] = defaultdict(int)
    for issuer, acceptor, left in session.execute(select(row.issuer_id, row.acceptor_id, row.points - row.settled)):
        points[issuer, acceptor] += left  # added here: two owners may settle more than a database's sum has room for
    owed = owed_between(points, {brand_id: brand.par for brand_id, brand in by_id.items()}, currency)
    net = net_positions(owed, sorted(by_id), currency)
    return ClearingView(
        currency,
        session.scalar(select(func.max(LedgerBlockRow.number))),
        [OwedView(one.issuer_id, one.acceptor_id, one.points, one.money.amount_minor, one.remainder, one.remainder_of) for one in owed],
        [NetView(one.brand_id, by_id[one.brand_id].name, one.points, one.money.amount_minor) for one in net],
    )
