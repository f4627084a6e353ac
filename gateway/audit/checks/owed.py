"""Invariant 8: what was redeemed at other brands less what was given back is what brands owe; net positions sum to zero.

What is owed never falls by a settlement: what cycles have settled of it stands beside it, and lowers the exposure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from gateway.audit.book import Book
from gateway.audit.case import Case
from gateway.values.ids import LotId

Pair = tuple[int, int]
ByTerms = Mapping[tuple[int, int, int], int]
_REDEEMS = ("capture", "redeem")


def findings(case: Case) -> Iterator[str]:
    in_contract = {key: points for key, points in case.evidence.chain.owed.items() if points}
    by_contract = _by_pair(in_contract)
    for book in case.books:
        due = _by_entries(book)
        yield from _differences(due, _by_pair(book.owed), f"by the {book.name}'s entries", f"as owed in the {book.name}")
        yield from _differences(due, by_contract, f"by the {book.name}'s entries", "as owed in the contract")
        reserved = _by_reservations(book)
        yield from _differences(due, _by_pair(reserved), f"by the {book.name}'s entries", f"by the {book.name}'s reservations")
        for name, owed in (("contract", in_contract), (book.name, {key: points for key, points in book.owed.items() if points})):
            for issuer, acceptor, number in sorted(key for key in reserved.keys() | owed.keys() if reserved.get(key) != owed.get(key)):
                yield f"under terms {number} of brand {issuer}, what it owes brand {acceptor} is another figure in the {name}"
        yield from _lot_totals(book)
    yield from _settled(case)
    net: dict[int, int] = defaultdict(int)
    for (issuer, acceptor), points in by_contract.items():
        net[acceptor] += points
        net[issuer] -= points
    if sum(net.values()) != 0:
        yield f"the net positions sum to {sum(net.values())} points"


def not_yet(case: Case) -> str | None:
    """Settling can only be checked where a cycle took effect."""
    return None if case.replay.model.state.settled else "no cycle is settled yet"


def _settled(case: Case) -> Iterator[str]:
    """What settlement's events give is what the contracts hold. Beyond what is owed it is the other side's claim, and no finding."""
    chain, state = case.evidence.chain, case.replay.model.state
    for issuer, acceptor, number in sorted(chain.settled.keys() | state.settled.keys()):
        key = issuer, acceptor, number
        if chain.settled.get(key, 0) != state.settled.get(key, 0):
            yield f"under terms {number} of brand {issuer}, what is settled with brand {acceptor} is not what cycles applied"
    for issuer, acceptor in sorted(chain.exposure.keys() | state.exposure.keys()):
        exposed, due = chain.exposure.get((issuer, acceptor), 0), state.exposure.get((issuer, acceptor), 0)
        if exposed != due:
            yield f"brand {acceptor} is exposed to brand {issuer} by {exposed} points in the contract, {due} by what happened"


def _by_entries(book: Book) -> dict[Pair, int]:
    owed: dict[Pair, int] = defaultdict(int)
    for entry in book.accepted:
        if entry.kind in _REDEEMS or entry.kind == "point_refund":
            for movement in entry.movements:
                owed[movement.lot_id >> 32, entry.brand_id] -= movement.held_delta
    return {pair: points for pair, points in owed.items() if points and pair[0] != pair[1]}


def _by_reservations(book: Book) -> ByTerms:
    owed: dict[tuple[int, int, int], int] = defaultdict(int)
    for reservation in book.reservations.values():
        for lot, (_, captured, refunded, _, number) in reservation.lots.items():
            owed[lot >> 32, reservation.brand_id, number] += captured - refunded
    return {key: points for key, points in owed.items() if points and key[0] != key[1]}


def _by_pair(owed: ByTerms) -> dict[Pair, int]:
    sums: dict[Pair, int] = defaultdict(int)
    for (issuer, acceptor, _), points in owed.items():
        sums[issuer, acceptor] += points
    return {pair: points for pair, points in sums.items() if points}


def _lot_totals(book: Book) -> Iterator[str]:
    redeemed: dict[LotId, int] = defaultdict(int)
    refunded: dict[LotId, int] = defaultdict(int)
    for entry in book.accepted:
        for movement in entry.movements:
            if entry.kind in _REDEEMS:
                redeemed[movement.lot_id] -= movement.held_delta
            elif entry.kind == "point_refund":
                refunded[movement.lot_id] += movement.held_delta
    for lot, totals in book.lots.items():
        if (totals.redeemed, totals.refunded) != (redeemed.get(lot, 0), refunded.get(lot, 0)):
            yield f"lot {lot}: redeemed or refunded points are not those of the {book.name}'s entries"


def _differences(one: Mapping[Pair, int], other: Mapping[Pair, int], one_name: str, other_name: str) -> Iterator[str]:
    for issuer, acceptor in sorted(set(one) | set(other)):
        points, others = one.get((issuer, acceptor), 0), other.get((issuer, acceptor), 0)
        if points != others:
            yield f"brand {issuer} owes brand {acceptor} {points} points {one_name}, {others} {other_name}"
