"""What approving needs from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.ledger.admission import AdmissionCriteria, SignedChecklist
from gateway.ledger.governance import Approval
from gateway.values.ids import Address, Hash, OperationId


@dataclass(frozen=True, slots=True)
class PendingAct:
    """Proposed and not executed yet; `ready_at` is empty until the proposal is on the chain. An act that replaces a brand's owner
    names in `replaces_owner_of` the brand and its present owner; `is_registration`: it lets a brand in."""

    sequence: int
    act_id: Hash
    ready_at: int | None
    target: Address
    data: bytes
    salt: Hash
    replaces_owner_of: tuple[int, Address | None] | None = None
    is_registration: bool = False


class PendingActs(Protocol):
    def find(self, operation_id: OperationId) -> PendingAct | None: ...
    def approve(self, act: PendingAct, approver: Address, given: Approval, checklist: SignedChecklist | None) -> None: ...


class Criteria(Protocol):
    def in_force(self) -> AdmissionCriteria: ...
    def add(self, criteria: AdmissionCriteria, now: int) -> None: ...
