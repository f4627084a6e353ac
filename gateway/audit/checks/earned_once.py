"""Invariant 3: a payment earns at most once, net of its refunds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gateway.audit.book import BookEntry
from gateway.audit.case import Case
from gateway.ledger.awards import AwardId, award_reference, clawback_reference
from gateway.ledger.entries import Clawback, Issue, Restore, decode_entry
from gateway.ledger.signing import reference as keyed_reference
from gateway.purchases.tables import AwardRow
from gateway.values.ids import Reference

_Place = tuple[int, Reference | None]


def findings(case: Case) -> Iterator[str]:
    for book in case.books:
        issues: dict[_Place, list[BookEntry]] = defaultdict(list)
        taken: dict[_Place, int] = defaultdict(int)
        issue_at: dict[tuple[int, int, int], Reference | None] = {}
        for entry in book.accepted:
            if entry.kind == "issue":
                issues[entry.brand_id, entry.reference].append(entry)
            elif entry.kind == "clawback":
                taken[entry.brand_id, entry.issue_reference] += entry.points
                shown = decode_entry(entry.entry)
                assert isinstance(shown, Clawback)
                issue_at[entry.brand_id, shown.issue.number, shown.issue.index] = entry.issue_reference
            elif entry.kind == "restore":
                restored = decode_entry(entry.entry)
                assert isinstance(restored, Restore)
                taken[entry.brand_id, issue_at.get((entry.brand_id, restored.number, restored.index))] -= entry.points
        for (brand, reference), entries in issues.items():
            if len(entries) > 1:
                places = ", ".join(f"batch {entry.batch_number} entry {entry.entry_index}" for entry in entries)
                yield f"brand {brand}: payment {reference} earned {len(entries)} times by the {book.name} ({places})"
        for key, points in taken.items():
            earned = sum(entry.points for entry in issues.get(key, ()))
            if points > earned:
                yield f"brand {key[0]}: {points} points clawed back for payment {key[1]}, which earned {earned} by the {book.name}"
    yield from _purchases(case)
    yield from _every_issue_has_an_award(case)
    yield from _payment_refunds(case)


def _purchases(case: Case) -> Iterator[str]:
    """What the gateway wrote down of payments against what the ledger has under their references."""
    store = case.evidence.store
    secrets = _secrets(case)
    awards: dict[int, list[AwardRow]] = defaultdict(list)
    for award in store.awards:
        awards[award.purchase_id].append(award)
    clawed_back = _points_due_back(case)
    seen: set[tuple[int, str]] = set()
    for purchase in store.purchases:
        name = f"brand {purchase.brand_id}, payment {purchase.payment_id}"
        if (purchase.brand_id, purchase.payment_id) in seen:
            yield f"{name} stands twice among the purchases"
        seen.add((purchase.brand_id, purchase.payment_id))
        if purchase.reference != keyed_reference(secrets[purchase.brand_id], "payment", purchase.payment_id):
            yield f"{name}: its reference is not the keyed hash of its payment id"
        for award in awards.pop(purchase.purchase_id, ()):
            award_id = AwardId(purchase.brand_id, purchase.payment_id, award.number, award.issuer_id)
            yield from _award(case, name, award, award_id, secrets.get(award.issuer_id))
            if award.member_id != purchase.member_id:
                yield f"{name} is of member {purchase.member_id}, its award {award.number} of {award.member_id}"
            if clawed_back.pop((purchase.brand_id, purchase.payment_id, award.number), 0) > award.points:
                yield f"{name}: its refunds take more points than it earned"
    for purchase_id in awards:
        yield f"an award names purchase {purchase_id}, which is not there"
    for brand_id, payment_id, number in clawed_back:
        yield f"brand {brand_id}, payment {payment_id}: its refunds take back award {number}, which is not there"


def _award(case: Case, name: str, award: AwardRow, award_id: AwardId, secret: bytes | None) -> Iterator[str]:
    which = name if award_id.is_plain else f"{name}, award {award.number} of brand {award.issuer_id}"
    if secret is None:
        yield f"{which}: there is no such brand"
    elif award.reference != award_reference(secret, award_id):
        yield f"{which}: its reference is not the keyed hash of its payment id"
    entry = case.issues.get((award.issuer_id, award.reference))
    if entry and award.operation_id is None:
        yield f"{which} was refused ({award.refused}), but the ledger issued {entry.points} points"
    elif entry and (entry.points, entry.member) != (award.points, award.member_id):
        issued = f"the ledger issued {entry.points} points to {entry.member}"
        yield f"{which}: {issued}, the purchase says {award.points} to {award.member_id}"
    elif entry and _rule_and_expiry(entry) != (award.rule_version, award.expiry_day):
        said = award.rule_version, award.expiry_day
        yield f"{which}: rule version and lot expiry are {_rule_and_expiry(entry)} on the ledger, {said} by the purchase"
    operation = case.operations.get(award.operation_id)
    if operation and (operation.kind, operation.brand_id, operation.reference) != ("issue", award.issuer_id, award.reference):
        yield f"{which}: its operation {award.operation_id} is that of something else"


def _rule_and_expiry(issue: BookEntry) -> tuple[int, int]:
    entry = decode_entry(issue.entry)
    assert isinstance(entry, Issue)
    return entry.basis.programme, entry.expiry_day


def _every_issue_has_an_award(case: Case) -> Iterator[str]:
    """An issue on the ledger that a purchase or an operation here gave: an award says so."""
    store = case.evidence.store
    awarded = {(award.issuer_id, award.reference) for award in store.awards}
    given: dict[tuple[int | None, Reference | None], str] = {
        (purchase.brand_id, purchase.reference): f"brand {purchase.brand_id}, payment {purchase.payment_id}" for purchase in store.purchases
    }
    for operation in store.operations:
        if operation.kind == "issue":
            given.setdefault((operation.brand_id, operation.reference), f"operation {operation.operation_id} (issue)")
    for place, entry in case.issues.items():
        if place in given and place not in awarded:
            yield f"{given[place]}: the ledger issued {entry.points} points to {entry.member}, but no award says so"


def _payment_refunds(case: Case) -> Iterator[str]:
    """Payment refunds and what they take back, each under its own reference."""
    store, secrets = case.evidence.store, _secrets(case)
    refunds = {refund.payment_refund_id: refund for refund in store.payment_refunds}
    for refund in store.payment_refunds:
        if refund.reference != keyed_reference(secrets[refund.brand_id], "refund", refund.refund_id):
            yield f"brand {refund.brand_id}, refund {refund.refund_id}: its reference is not the keyed hash of its refund id"
    for clawback in store.award_clawbacks:
        of, secret = refunds.get(clawback.payment_refund_id), secrets.get(clawback.issuer_id)
        if of is None or secret is None:
            yield f"a clawback names payment refund {clawback.payment_refund_id} and brand {clawback.issuer_id}, which are not both there"
            continue
        award_id = AwardId(of.brand_id, of.payment_id, clawback.number, clawback.issuer_id)
        if clawback.reference != clawback_reference(secret, award_id, of.refund_id):
            name = f"brand {of.brand_id}, refund {of.refund_id}"
            yield f"{name}: the reference of its clawback of award {clawback.number} is not the keyed hash of its refund id"


def _points_due_back(case: Case) -> dict[tuple[int, str, int], int]:
    """By brand, payment and award number."""
    store = case.evidence.store
    payments = {refund.payment_refund_id: (refund.brand_id, refund.payment_id) for refund in store.payment_refunds}
    due: dict[tuple[int, str, int], int] = defaultdict(int)
    for clawback in store.award_clawbacks:
        if clawback.payment_refund_id in payments:
            due[*payments[clawback.payment_refund_id], clawback.number] += clawback.points_due
    for restore in store.award_restores:
        if restore.payment_refund_id in payments:
            due[*payments[restore.payment_refund_id], restore.number] -= restore.points_due
    return due


def _secrets(case: Case) -> dict[int, bytes]:
    return {brand.brand_id: brand.reference_secret for brand in case.evidence.store.brands}
