"""Acts of governance between their proposal and their execution: when one is ready, and what was approved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import governance
from gateway.coalition.coalition import Coalition
from gateway.coalition.tables import GovernanceActRow, GovernanceApprovalRow
from gateway.ledger.governance import NO_PREDECESSOR, Approval
from gateway.projection.tables import LedgerBlockRow
from gateway.rounds.tables import OperationRow, TransactionRow
from gateway.values.ids import Address

PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class ReadyAct:
    """What is executed now, with its approvals in the contract's order."""

    sequence: int
    target: Address
    data: bytes
    salt: bytes
    approvals: tuple[Approval, ...]

    def execution(self) -> bytes:
        """The data of the transaction."""
        signed = [(each.approved_at, each.good_until, each.signature) for each in self.approvals]
        return governance().call("executeApproved", self.target, 0, self.data, NO_PREDECESSOR, self.salt, signed)


def ready_acts(session: Session, coalition: Coalition, now: int) -> list[ReadyAct]:
    """Proposed acts whose delay is over and that enough approvers approved."""
    found = []
    for act, proposed_at in session.execute(_PROPOSED_IN_ORDER):
        if proposed_at + act.delay_seconds > now:
            continue
        approvals = [each for each in approvals_of(session, act) if each.good_until > now]
        if len(approvals) >= coalition.approvals_needed:
            given = tuple(Approval(each.approved_at, each.good_until, each.signature) for each in approvals)
            found.append(ReadyAct(act.operation_sequence, act.target, act.data, act.salt, given))
    return found


def approvals_of(session: Session, act: GovernanceActRow) -> Sequence[GovernanceApprovalRow]:
    """Ascending by approver, as the contract takes them. Those of a chain on which the act was ready sooner do not count."""
    row, since = GovernanceApprovalRow, ready_at(session, act)
    if since is None:
        return []
    of_act = select(row).where(row.operation_sequence == act.operation_sequence, row.approved_at >= since)
    return session.scalars(of_act.order_by(row.approver)).all()


def ready_at(session: Session, act: GovernanceActRow) -> int | None:
    """From when on it can be approved and executed; None before its proposal is on the chain."""
    which = _proposed_acts().where(GovernanceActRow.operation_sequence == act.operation_sequence)
    found = session.execute(which).one_or_none()
    return None if found is None else found[1] + act.delay_seconds


def _proposed_acts() -> Select[GovernanceActRow, int]:
    """Acts on the chain and the second of their proposal."""
    return (
        select(GovernanceActRow, LedgerBlockRow.timestamp)
        .join(OperationRow, OperationRow.sequence == GovernanceActRow.operation_sequence)
        .join(TransactionRow, TransactionRow.transaction_id == GovernanceActRow.proposed_in)
        .join(LedgerBlockRow, LedgerBlockRow.number == TransactionRow.block_number)
        .where(OperationRow.status == PROPOSED, TransactionRow.status == "mined")
    )


_PROPOSED_IN_ORDER = _proposed_acts().order_by(GovernanceActRow.operation_sequence)  # made once: each round asks
