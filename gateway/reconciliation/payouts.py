"""Payouts rebuilt from their records: every payout is named parts plus one labelled remainder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.payments.record import PaymentRecord, RecordKind

NO_REMAINDER = "none"
ROWS_NOT_IN_FILES = "rows of this payout that are not in the files"
PAYOUT_NOT_YET_SEEN = "no payout row up to the cut-off: the parts so far"


@dataclass(frozen=True, slots=True)
class Payout:
    """Minor units, as the merchant receives them. payout = charges + refunds + fees + other + remainder.

    While the payout row itself is not there, `payout_minor` is the sum of the parts so far.
    """

    provider: str
    payout_id: str
    currency: str
    payout_minor: int
    charges_minor: int
    refunds_minor: int
    fees_minor: int
    other_minor: int
    remainder_minor: int
    remainder_label: str
    record_count: int

    def __post_init__(self) -> None:
        parts_minor = self.charges_minor + self.refunds_minor + self.fees_minor + self.other_minor
        assert self.payout_minor == parts_minor + self.remainder_minor, "a payout is its parts and one remainder"


def rebuild_payouts(records: Iterable[PaymentRecord]) -> list[Payout]:
    """Every payout the records name, ordered by provider and id. The records hold no repeats."""
    by_payout: dict[tuple[str, str, str], list[PaymentRecord]] = defaultdict(list)
    for record in records:
        if record.payout_id is not None:
            by_payout[record.provider, record.payout_id, record.currency].append(record)
    return [_rebuild(key, by_payout[key]) for key in sorted(by_payout)]


def _rebuild(key: tuple[str, str, str], records: list[PaymentRecord]) -> Payout:
    provider, payout_id, currency = key
    gross_minor = dict.fromkeys(RecordKind, 0)
    fees_minor = 0
    payout_seen = False
    for record in records:
        if record.kind is RecordKind.PAYOUT:
            payout_seen = True
            gross_minor[RecordKind.PAYOUT] -= record.net_minor
        else:
            gross_minor[record.kind] += record.gross_minor
            fees_minor -= record.fee_minor
    fees_minor += gross_minor[RecordKind.FEE]
    charges_minor, refunds_minor, other_minor = (gross_minor[kind] for kind in (RecordKind.CHARGE, RecordKind.REFUND, RecordKind.OTHER))
    parts_minor = charges_minor + refunds_minor + fees_minor + other_minor
    payout_minor = gross_minor[RecordKind.PAYOUT] if payout_seen else parts_minor
    remainder_minor = payout_minor - parts_minor
    return Payout(
        provider=provider,
        payout_id=payout_id,
        currency=currency,
        payout_minor=payout_minor,
        charges_minor=charges_minor,
        refunds_minor=refunds_minor,
        fees_minor=fees_minor,
        other_minor=other_minor,
        remainder_minor=remainder_minor,
        remainder_label=(ROWS_NOT_IN_FILES if remainder_minor else NO_REMAINDER) if payout_seen else PAYOUT_NOT_YET_SEEN,
        record_count=len(records),
    )
