"""What approving needs from outside; SQL stands behind it in rows.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.ledger.governance import Approval
from gateway.values.ids import Address, Hash, OperationId


@dataclass(frozen=True, slots=True)
class PendingAct:
    """Proposed and not executed yet; `ready_at` is empty until the proposal is on the chain."""

    sequence: int
    act_id: Hash
    ready_at: int | None


class PendingActs(Protocol):
    def find(self, operation_id: OperationId) -> PendingAct | None: ...
    def approve(self, act: PendingAct, approver: Address, given: Approval) -> None: ...
