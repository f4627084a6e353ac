"""The coalition as everyone may read of it, and how far the projection of its ledger is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.coalition.rows import the_coalition
from gateway.coalition.tables import CoalitionRow
from gateway.projection.tables import LedgerBatchRow, LedgerBlockRow
from gateway.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class HeadView:
    """The newest block that the projection holds."""

    block_number: int
    block_hash: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class CoalitionView:
    """What a signer, a wallet or an auditor needs to check this coalition's signatures and receipts. `entries` counts the ledger's.
    Without a `sealer` there are no receipts: the engine seals nothing, or the node has not said yet who does."""

    coalition_id: str
    chain_id: int
    genesis_hash: str
    sealer: str | None
    points_address: str
    brands_address: str
    members_address: str
    settlement_address: str
    anchors_address: str
    governance_address: str
    guardian_address: str | None
    approvers: list[str]
    approvals_needed: int
    governance_delay_seconds: int
    member_delay_seconds: int
    currency: str
    utc_offset_seconds: int
    sandbox: bool
    head: HeadView | None
    entries: int


def find_head(session: Session, number: int | None = None) -> HeadView | None:
    """The newest block that the projection holds; or the one of this number."""
    which = select(LedgerBlockRow) if number is None else select(LedgerBlockRow).where(LedgerBlockRow.number == number)
    block = session.scalar(which.order_by(LedgerBlockRow.number.desc()).limit(1))
    return None if block is None else HeadView(block.number, str(block.block_hash), block.timestamp)


class CoalitionViews:
    """Anybody may ask: entries are counted by their batches, and those up to a block once, as long as that block stands."""

    def __init__(self) -> None:
        self._counted: tuple[HeadView | None, int] = None, 0

    def find(self, work: UnitOfWork, keys: Sequence[None]) -> Mapping[None, CoalitionView]:
        """Nobody's seal is named in it. Refuses while the gateway is not initialized."""
        head = find_head(work.session)
        return dict.fromkeys(keys, _view(work.session, head, self._entries(work.session, head)))

    def _entries(self, session: Session, head: HeadView | None) -> int:
        until, entries = self._counted
        if until is not None and find_head(session, until.block_number) != until:
            until, entries = None, 0
        since = -1 if until is None else until.block_number
        further = select(func.sum(LedgerBatchRow.entry_count)).where(LedgerBatchRow.block_number > since)
        entries += int(session.scalar(further) or 0)
        self._counted = head, entries
        return entries


def _view(session: Session, head: HeadView | None, entries: int) -> CoalitionView:
    now = the_coalition(session)
    row = session.scalars(select(CoalitionRow)).one()
    return CoalitionView(
        coalition_id=str(row.coalition_id),
        chain_id=row.chain_id,
        genesis_hash=str(row.genesis_hash),
        sealer=None,
        points_address=str(row.points_address),
        brands_address=str(row.brands_address),
        members_address=str(row.members_address),
        settlement_address=str(row.settlement_address),
        anchors_address=str(row.anchors_address),
        governance_address=str(row.governance_address),
        guardian_address=None if now.guardian is None else str(now.guardian),
        approvers=sorted(map(str, now.approvers)),
        approvals_needed=now.approvals_needed,
        governance_delay_seconds=now.governance_delay_seconds,
        member_delay_seconds=row.member_delay_seconds,
        currency=row.currency,
        utc_offset_seconds=row.utc_offset_seconds,
        sandbox=row.sandbox,
        head=head,
        entries=entries,
    )


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """Where the contracts stand; `code_hash` is that of the points ledger."""

    coalition_id: str
    chain_id: int
    governance_address: str
    brands_address: str
    members_address: str
    settlement_address: str
    anchors_address: str
    points_address: str
    code_hash: str
    deployed_block: int | None


def find_deployment(session: Session) -> DeploymentView:
    """Of a gateway that is initialized."""
    row = session.scalars(select(CoalitionRow)).one()
    return DeploymentView(
        str(row.coalition_id),
        row.chain_id,
        str(row.governance_address),
        str(row.brands_address),
        str(row.members_address),
        str(row.settlement_address),
        str(row.anchors_address),
        str(row.points_address),
        "" if row.code_hash is None else str(row.code_hash),
        row.deployed_block,
    )
