"""Invariant 10: every payment record is claimed by at most one match; every payout is named parts and one labelled remainder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from gateway.audit.case import Case
from gateway.payments.tables import PaymentRecordRow
from gateway.reconciliation.tables import MatchRow


def findings(case: Case) -> Iterator[str]:
    yield from _claims(case)
    yield from _payouts(case)


def _claims(case: Case) -> Iterator[str]:
    store = case.evidence.store
    matches: dict[tuple[str, int], MatchRow] = {(match.reconciliation_id, match.match_number): match for match in store.matches}
    records: dict[int, PaymentRecordRow] = {record.payment_record_id: record for record in store.payment_records}
    claims = Counter((claim.reconciliation_id, claim.payment_record_id) for claim in store.match_records)
    for (reconciliation, record_id), count in claims.items():
        if count > 1:
            yield f"payment record {record_id} is claimed by {count} matches of reconciliation {reconciliation}"
    claimed: dict[tuple[str, int], list[PaymentRecordRow]] = defaultdict(list)
    by_provider_record: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for claim in store.match_records:
        key = (claim.reconciliation_id, claim.match_number)
        match, record = matches.get(key), records.get(claim.payment_record_id)
        name = f"reconciliation {claim.reconciliation_id}, match {claim.match_number}"
        if match is None or record is None:
            yield f"{name}: the match or its payment record {claim.payment_record_id} does not exist"
            continue
        claimed[key].append(record)
        provider_record = (claim.reconciliation_id, str(record.brand_id), record.provider, record.provider_record_id, record.kind)
        by_provider_record[provider_record].add(record.payment_record_id)
        if (record.brand_id, record.payment_id, record.kind) != (match.brand_id, match.payment_id, match.kind):
            yield f"{name} is of payment {match.payment_id}, its record {record.payment_record_id} of another brand, payment or kind"
    for (reconciliation, _, _, provider_record_id, kind), ids in by_provider_record.items():
        if len(ids) > 1:
            yield f"reconciliation {reconciliation}: the {kind} {provider_record_id} of one provider is claimed {len(ids)} times"
    for (reconciliation, number), match in matches.items():
        total = sum(record.gross_minor for record in claimed[reconciliation, number])
        if not claimed[reconciliation, number]:
            yield f"reconciliation {reconciliation}, match {number} claims no payment record"
        elif total != match.amount_minor:
            yield f"reconciliation {reconciliation}, match {number} is of {match.amount_minor} minor units, its records of {total}"


def _payouts(case: Case) -> Iterator[str]:
    for payout in case.evidence.store.payouts:
        parts = payout.charges_minor + payout.refunds_minor + payout.fees_minor + payout.other_minor
        name = f"reconciliation {payout.reconciliation_id}, payout {payout.payout_id}"
        if parts + payout.remainder_minor != payout.payout_minor:
            yield f"{name}: its parts and remainder sum to {parts + payout.remainder_minor} minor units, it is {payout.payout_minor}"
        if payout.remainder_minor and not payout.remainder_label:
            yield f"{name}: a remainder of {payout.remainder_minor} minor units has no label"
