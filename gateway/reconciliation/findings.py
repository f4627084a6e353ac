"""What a reconciliation found so far. Every claim of a record goes through here, and no record is claimed twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from gateway.payments.record import RecordKind
from gateway.reconciliation.breaks import Break, BreakKind
from gateway.reconciliation.facts import ExpectedPayment, KeptRecord


@dataclass(frozen=True, slots=True)
class Match:
    """Records that agree with a purchase (kind charge) or with the refunds reported for it (kind refund)."""

    payment_id: str
    kind: RecordKind
    amount_minor: int
    payment_record_ids: tuple[int, ...]


@dataclass(slots=True)
class Findings:
    """Collects matches and breaks as at one cut-off."""

    cut_off: date
    matches: list[Match] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    _claimed: set[int] = field(default_factory=set)

    def match(self, payment_id: str, kind: RecordKind, records: Sequence[KeptRecord]) -> None:
        """These records agree with the payment."""
        ids = tuple(sorted(kept.payment_record_id for kept in records))
        assert ids, "a match holds records"
        assert len(set(ids)) == len(ids), "a match names a record once"
        assert self._claimed.isdisjoint(ids), "a record is claimed at most once"
        self._claimed.update(ids)
        self.matches.append(Match(payment_id, kind, sum(kept.record.gross_minor for kept in records), ids))

    def break_of_record(
        self, kind: BreakKind, kept: KeptRecord, detail: str, *, expected_minor: int | None = None, found_minor: int | None = None
    ) -> None:
        """Something is wrong with a record; what was found is its own amount unless said otherwise."""
        record = kept.record
        self.breaks.append(
            Break(
                kind=kind,
                payment_id=record.payment_id,
                payment_record_id=kept.payment_record_id,
                provider_record_id=record.provider_record_id,
                expected_minor=expected_minor,
                found_minor=record.gross_minor if found_minor is None else found_minor,
                age_days=(self.cut_off - record.business_date).days,
                detail=detail,
            )
        )

    def break_of_payment(self, kind: BreakKind, payment: ExpectedPayment, detail: str) -> None:
        """Something is wrong with a purchase, and no record tells of it."""
        self.breaks.append(
            Break(
                kind=kind,
                payment_id=payment.payment_id,
                payment_record_id=None,
                provider_record_id=None,
                expected_minor=payment.expected_minor,
                found_minor=None,
                age_days=(self.cut_off - payment.business_date).days,
                detail=detail,
            )
        )
