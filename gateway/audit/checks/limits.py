"""Invariant 4: no issue leaves a brand's outstanding points above the limit that it had at that moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gateway.audit.case import Case
from gateway.ledger.refusals import RefusalReason


def findings(case: Case) -> Iterator[str]:
    for book in case.books:
        limits: dict[int, int] = {}
        outstanding: dict[int, int] = defaultdict(int)
        changes = iter(case.replay.limits)
        change = next(changes, None)
        for entry in book.accepted:
            while change is not None and change[0] <= entry.position:
                limits[change[1]] = change[2]
                change = next(changes, None)
            for movement in entry.movements:
                outstanding[movement.lot_id >> 32] += movement.held_delta
            if entry.kind in ("issue", "opening") and outstanding[entry.brand_id] > limits.get(entry.brand_id, 0):
                points, limit = outstanding[entry.brand_id], limits.get(entry.brand_id, 0)
                yield f"{entry.place} left {points} points outstanding by the {book.name}; the limit was {limit}"
    for each in case.disagreements(RefusalReason.LIMIT_EXCEEDED.value):
        yield str(each)
