"""What an agent has to tell the gateway: one item for each thing that a till said, and the states through which it goes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ItemKind(StrEnum):
    PURCHASE = "purchase"
    PAYMENT_REFUND = "payment_refund"
    REFUND_FAILURE = "refund_failure"
    CAPTURE = "capture"
    VOID = "void"
    POINT_REFUND = "point_refund"


class ItemState(StrEnum):
    """journaled: on disk here · sent: the gateway may have it · answered: it has it · ended: confirmed or refused."""

    JOURNALED = "journaled"
    SENT = "sent"
    ANSWERED = "answered"
    ENDED = "ended"


class Outcome(StrEnum):
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Speaker:
    """Which till said it, and who stood at it."""

    till: str
    cashier: str | None


@dataclass(frozen=True, slots=True)
class NewItem:
    """`target`: the reservation or payment refund that it is about, where its path at the gateway names one. `held`: items of the same
    payment or reservation go in their order. `day` and `gross_minor` of a sale, for the day's close; `points` as promised."""

    kind: ItemKind
    external_id: str
    target: str
    body: str
    held: str
    day: str | None = None
    gross_minor: int | None = None
    points: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """How an item stands. `reason` is a code, `detail` the gateway's words for it, where it gave any. `tries` and `faults`: how often it
    was sent in vain, and how often that may have been its own fault."""

    sequence: int
    kind: ItemKind
    external_id: str
    target: str
    body: str
    points: int | None
    state: ItemState
    operation_id: str | None
    outcome: Outcome | None
    reason: str | None
    tries: int
    faults: int
    more_operations: tuple[str, ...] = ()
    answered_at: float = 0
    detail: str | None = None
    till: str = ""
    cashier: str | None = None

    @property
    def operation_ids(self) -> tuple[str, ...]:
        """All that the gateway made of it."""
        return () if self.operation_id is None else (self.operation_id, *self.more_operations)
