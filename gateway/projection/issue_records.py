"""What a clawback or restore is held against: the records of batches, what is taken of an issue, and how a clawback shows one."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.ledger.batches import batch_outcome, batch_record, shown_issue
from gateway.ledger.issue_parts import ShownIssue
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.ledger.state import ClawedIssue, LedgerState
from gateway.projection.tables import LedgerBatchRow, LedgerClawedIssueRow, LedgerEntryRow

IssueOnLedger = tuple[int, int, int]
"""(issuing brand, batch number, index)"""


def load_issues(session: Session, state: LedgerState, places: Collection[IssueOnLedger]) -> None:
    """Into the state: the records of these issues' batches, and what is clawed back of them. Places that are not there are passed over."""
    for brand_id, number in sorted({(brand_id, number) for brand_id, number, _ in places}):
        batch = session.get(LedgerBatchRow, (brand_id, number)) if number < 2**63 else None
        if batch is not None:
            outcome = batch_outcome(batch.entry_count, _refusals(session, brand_id, number))
            state.records[brand_id, number] = batch_record(batch.root, outcome)
    for place in sorted(place for place in places if place[:2] in state.records):
        clawed = session.get(LedgerClawedIssueRow, place)
        if clawed is not None:
            state.clawed[place] = ClawedIssue(clawed.member_id, clawed.points, clawed.latest_day)


def show_issue(session: Session, place: IssueOnLedger) -> ShownIssue:
    """An issue on the ledger as a clawback shows it."""
    brand_id, number, index = place
    entry = LedgerEntryRow
    of_batch = entry.brand_id == brand_id, entry.batch_number == number
    entries = session.scalars(select(entry.entry).where(*of_batch).order_by(entry.entry_index)).all()
    return shown_issue(number, entries, index, _refusals(session, brand_id, number))


def _refusals(session: Session, brand_id: int, number: int) -> list[tuple[int, bytes]]:
    entry = LedgerEntryRow
    of_batch = entry.brand_id == brand_id, entry.batch_number == number, entry.refused_reason.is_not(None)
    rows = session.execute(select(entry.entry_index, entry.refused_reason).where(*of_batch).order_by(entry.entry_index))
    return [(index, SELECTORS[RefusalReason(reason)]) for index, reason in rows if reason is not None]
