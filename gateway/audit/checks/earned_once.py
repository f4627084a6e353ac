"""Invariant 3: a payment earns at most once, net of its refunds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gateway.audit.book import BookEntry, hex_of
from gateway.audit.case import Case
from gateway.ledger.signing import reference as keyed_reference

Reference = tuple[int, str | None]


def findings(case: Case) -> Iterator[str]:
    for book in case.books:
        issues: dict[Reference, list[BookEntry]] = defaultdict(list)
        taken: dict[Reference, int] = defaultdict(int)
        for entry in book.accepted:
            if entry.kind == "issue":
                issues[entry.brand_id, entry.reference].append(entry)
            elif entry.kind == "clawback":
                taken[entry.brand_id, entry.issue_reference] += entry.points
        for (brand, reference), entries in issues.items():
            if len(entries) > 1:
                places = ", ".join(f"batch {entry.batch_number} entry {entry.entry_index}" for entry in entries)
                yield f"brand {brand}: payment {reference} earned {len(entries)} times by the {book.name} ({places})"
        for key, points in taken.items():
            earned = sum(entry.points for entry in issues.get(key, ()))
            if points > earned:
                yield f"brand {key[0]}: {points} points clawed back for payment {key[1]}, which earned {earned} by the {book.name}"
    yield from _purchases(case)


def _purchases(case: Case) -> Iterator[str]:
    """What the gateway wrote down of payments against what the ledger has under their references."""
    store = case.evidence.store
    secrets = {brand.brand_id: brand.reference_secret for brand in store.brands}
    on_ledger = {(entry.brand_id, entry.reference): entry for entry in case.replay.book.accepted if entry.kind == "issue"}
    refunded: dict[tuple[int, str], int] = defaultdict(int)
    for refund in store.payment_refunds:
        refunded[refund.brand_id, refund.payment_id] += refund.points_due
    seen: set[tuple[int, str]] = set()
    for purchase in store.purchases:
        name = f"brand {purchase.brand_id}, payment {purchase.payment_id}"
        if (purchase.brand_id, purchase.payment_id) in seen:
            yield f"{name} stands twice among the purchases"
        seen.add((purchase.brand_id, purchase.payment_id))
        if purchase.reference != hex_of(keyed_reference(secrets[purchase.brand_id], "payment", purchase.payment_id)):
            yield f"{name}: its reference is not the keyed hash of its payment id"
        entry = on_ledger.get((purchase.brand_id, purchase.reference))
        if entry and (entry.points, entry.member) != (purchase.points, purchase.member_id):
            issued = f"the ledger issued {entry.points} points to {entry.member}"
            yield f"{name}: {issued}, the purchase says {purchase.points} to {purchase.member_id}"
        if refunded[purchase.brand_id, purchase.payment_id] > purchase.points:
            yield f"{name}: its refunds take more points than it earned"
