"""What a reconciliation looks at: payments expected from purchases, refunds reported by the brand, and records kept from files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gateway.payments.record import PaymentRecord
from gateway.values.money import AmountMinor
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class ExpectedPayment:
    """A purchase, as far as money and points go.

    `expected_minor` is gross less what was paid with points, and nothing of what another brand sold (evidence): no record is expected when
    it is zero. `points_issued` is what confirmed issue entries gave for this payment, over all its awards; `issue_state` says where the
    issue stands otherwise.
    """

    payment_id: str
    currency: str
    expected_minor: AmountMinor
    business_date: date
    points_due: Points
    points_issued: Points | None
    issue_state: str
    is_by_evidence: bool = False


@dataclass(frozen=True, slots=True)
class ReportedRefund:
    """Money the brand says went back. `clawback_done`: on the ledger, written off, or nothing to take back."""

    refund_id: str
    payment_id: str
    amount_minor: AmountMinor
    business_date: date
    clawback_done: bool
    clawback_state: str


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A payment record with the id it was stored under."""

    payment_record_id: int
    record: PaymentRecord

    @property
    def order(self) -> tuple[date, str, tuple[str, ...], tuple[int, ...], int]:
        """An order by everything a record says, so that a file's row order decides nothing; the stored id only parts identical rows."""
        record = self.record
        texts = (
            record.payment_id,
            record.currency,
            record.provider,
            record.kind,
            record.provider_record_id,
            record.refund_id,
            record.payout_id,
        )
        amounts = (record.gross_minor, record.fee_minor, record.net_minor)
        return record.business_date, record.occurred_at, tuple(text or "" for text in texts), amounts, self.payment_record_id


@dataclass(frozen=True, slots=True)
class Facts:
    """All of one brand. Records after the cut-off may be among them; they are ignored."""

    cut_off: date
    payments: tuple[ExpectedPayment, ...]
    refunds: tuple[ReportedRefund, ...]
    records: tuple[KeptRecord, ...]
