"""Breaks: named disagreements between what was sold, what was paid and what was written on the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MISSING_AFTER_DAYS = 3
"""A record may still be on its way while its purchase is at most this many days before the cut-off."""

LATE_AFTER_DAYS = 3
"""A record dated more than this many days after its purchase is late."""


class BreakKind(StrEnum):
    MISSING = "missing"
    LATE = "late"
    DUPLICATED = "duplicated"
    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    REFUND_NOT_CLAWED_BACK = "refund_not_clawed_back"
    UNEXPECTED = "unexpected"
    POINTS_MISSING = "points_missing"


@dataclass(frozen=True, slots=True)
class Break:
    """One disagreement. Amounts are signed minor units (refunds negative); `age_days` counts to the cut-off."""

    kind: BreakKind
    payment_id: str | None
    payment_record_id: int | None
    provider_record_id: str | None
    expected_minor: int | None
    found_minor: int | None
    age_days: int
    detail: str
