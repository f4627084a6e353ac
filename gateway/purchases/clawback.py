"""Clawback: the points that go back when money does, and come again when it did not. By a cumulative floor: pieces sum to the whole."""

from __future__ import annotations

from gateway.values.errors import Invalid, WrongState
from gateway.values.money import AmountMinor
from gateway.values.points import Points

WRITTEN_OFF = "nothing_left_to_claw_back"
"""Why a clawback is refused that finds nothing: what is missing is written off, unless its issuer carries it."""
NOTHING_TAKEN = "nothing_to_restore"
"""Why a restore is refused that finds nothing: the refund that failed had taken nothing."""


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


def points_restored(
    points_issued: Points, paid_minor: AmountMinor, refunded_after_minor: AmountMinor, due_before: Points, due_of_refund: Points
) -> tuple[Points, Points]:
    """What goes back to the member because a refund failed: its own share, or what all together took beyond the refunds that are left;
    and what those account for.

    `due_before` is due by all refunds, this one included; the two differ by what rounding moved between them.
    """
    others_due = Points(points_issued * refunded_after_minor // paid_minor)
    return Points(max(due_of_refund, due_before - others_due)), others_due
