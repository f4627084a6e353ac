"""What features hand to a round and ask of it; SQL stands behind it in rows.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from sqlalchemy.orm import Session

from gateway.rounds.operation import EntryOperation, Operation, RedemptionOperation, StoredOperation
from gateway.rounds.signer_port import SignerAddress
from gateway.values.ids import MemberId, OperationId, Reference, ReservationId
from gateway.values.points import Points


class Operations(Protocol):
    """Answers include what this unit of work has accepted itself."""

    def accept(self, operation: Operation, at: int) -> None:
        """From the commit on it is acknowledged."""

    def accept_again(self, operation: Operation, at: int) -> None:
        """Another try of an operation that ended refused, under the same reference."""

    def retry(self, operation_id: OperationId) -> bool:
        """Accepts one again that ended refused, as it is; False where somebody else was faster."""

    def find(self, operation_id: OperationId) -> StoredOperation | None: ...

    def by_reference(self, brand_id: int, reference: Reference) -> tuple[bool, StoredOperation | None]:
        """(used before, the operation if it is still known)."""

    def as_on_ledger(self, operation: EntryOperation) -> EntryOperation | None:
        """The operation as the ledger has it under its reference, where nobody here knows it any more; None where nothing, or something
        else, stands there."""

    def pending_issues(self, brand_id: int) -> Points:
        """Points of accepted issues of the brand that are not on the ledger yet."""

    def pending_on(self, reservation_id: ReservationId) -> list[Operation]:
        """Open operations on a reservation, the one that makes it among them."""

    def pending_redemptions(self, member_id: MemberId) -> list[RedemptionOperation]:
        """Open operations that take from the member's points at some brand."""


class SignersDirectory(Protocol):
    """Where the signer of each brand is."""

    def address(self, session: Session, brand_id: int) -> SignerAddress: ...


class StandingAct(Protocol):
    """What a feature accepts by itself, since something has come about on the ledger."""

    def is_due(self) -> bool: ...
    def accept(self) -> None: ...


class WrittenOff(Protocol):
    """What refused clawbacks did not take."""

    def due_again(self, operation_id: OperationId) -> bool:
        """Nothing of this clawback is missing any more; False, and as it was, where something else became of what it was to take."""


class OperationEnds(Protocol):
    """What other features do, in the round's own unit of work, when operations end otherwise than they were accepted."""

    def stood_already(self, session: Session, operations: Collection[Operation]) -> None:
        """Operations whose entry was found on the ledger, as it stands there."""

    def fell_short(self, session: Session, points_short: Mapping[OperationId, Points]) -> None:
        """By operation id: clawbacks that take so many points less than were due."""

    def refused(self, session: Session, operation_ids: Collection[OperationId]) -> None:
        """Operations that ended refused; nothing of them is on the ledger."""
