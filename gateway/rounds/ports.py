"""What features hand to a round and ask of it; SQL stands behind it in rows.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from sqlalchemy.orm import Session

from gateway.rounds.operation import NewOperation, StoredOperation
from gateway.rounds.signer_port import SignerAddress


class Operations(Protocol):
    def accept(self, operation: NewOperation, at: int) -> None: ...
    def find(self, operation_id: str) -> StoredOperation | None: ...
    def by_reference(self, brand_id: int, reference: str) -> tuple[bool, StoredOperation | None]: ...
    def pending_issues(self, brand_id: int) -> int: ...
    def pending_on(self, reservation_id: str) -> list[tuple[str, int]]: ...


class SignersDirectory(Protocol):
    """Where the signer of each brand is."""

    def address(self, session: Session, brand_id: int) -> SignerAddress: ...


class OperationEnds(Protocol):
    """What other features do, in the round's own unit of work, when operations end otherwise than they were accepted."""

    def fell_short(self, session: Session, points_short: Mapping[str, int]) -> None:
        """By operation id: clawbacks that take so many points less than were due."""

    def refused(self, session: Session, operation_ids: Collection[str]) -> None:
        """Operations that ended refused; nothing of them is on the ledger."""
