"""Clawback: the points that go back when money does. Pieces by a cumulative floor, so that they sum to the whole."""

from __future__ import annotations

from gateway.values.errors import Invalid, WrongState
from gateway.values.money import AmountMinor
from gateway.values.points import Points


def points_due(
    points_issued: Points, paid_minor: AmountMinor, refunded_before_minor: AmountMinor, refund_minor: AmountMinor, due_before: Points
) -> Points:
    """What this refund takes back: floor(points x refunded so far / paid) less what earlier refunds took.

    Refuses a refund that would give back more than was paid.
    """
    if refund_minor <= 0:
        raise Invalid("amount_minor must be positive", field="amount_minor")
    refunded_minor = refunded_before_minor + refund_minor
    if refunded_minor > paid_minor:
        raise WrongState(
            f"refunds of {refunded_minor} would exceed the {paid_minor} that were paid",
            paid_minor=paid_minor,
            refunded_before_minor=refunded_before_minor,
        )
    return Points(max(0, points_issued * refunded_minor // paid_minor - due_before))  # below zero only once the issue itself was refused
