"""What a brand's books do not support yet, they may support soon: a till's line comes after its call, a rule's version after a sale.

Nothing was signed, so the operation waits under its own id and reference and is tried again, for a stated time.
"""

from __future__ import annotations

from gateway.rounds.operation import OperationKind
from gateway.rounds.tables import OperationRow

NOT_YET = frozenset(
    {
        "detail_mismatch",
        "lot_not_expired",
        "malformed_entry",
        "point_refund_without_order",
        "unknown_activity",
        "unknown_award",
        "unknown_capture",
        "unknown_opening_file",
        "unknown_opening_line",
        "unknown_point_refund",
        "unknown_refund",
        "unknown_refund_failure",
        "unknown_sale",
        "unknown_void",
        "wrong_rule_version",
    }
)
"""Reasons of signers that a line more in their books does away with, or their clocks' going on, or their next version: what one of an
earlier version knows nothing of it cannot read, or cannot make agree with what it is told."""
_SOMEBODY_WAITS = (OperationKind.AUTHORIZE, OperationKind.REDEEM, OperationKind.TRANSFER)  # at a till or a screen, for a no as well
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1, 300


def wait_for_books(row: OperationRow, reason: str, now: int, waiting_seconds: int, *, is_signed: bool = False) -> bool:
    """Has a packed operation wait, each time as long again as it has waited so far; False where it is to be refused. `is_signed`: in a
    batch that its signer names, and that comes once all that is in it waits here."""
    if not (is_signed or reason in NOT_YET) or row.kind in _SOMEBODY_WAITS:
        return False
    given_up_at = now + waiting_seconds if row.given_up_at is None else row.given_up_at
    if given_up_at <= now:
        return False
    waited = now - (given_up_at - waiting_seconds)
    row.status, row.batch_id, row.entry_index = "accepted", None, None
    row.reason, row.given_up_at = f"not_yet: {reason}", given_up_at
    row.not_before = min(given_up_at, now + max(_FIRST_PAUSE_SECONDS, min(waited, _LONGEST_PAUSE_SECONDS)))
    return True
