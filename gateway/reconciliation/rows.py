"""Results of reconciliations."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date

from sqlalchemy import insert

from gateway.reconciliation.matching import Reconciled
from gateway.reconciliation.tables import BreakRow, MatchRecordRow, MatchRow, PayoutRow, ReconciliationRow
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork

_ROWS_AT_ONCE = 5000


class SqlReconciliations:
    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session

    def add(self, reconciliation_id: str, brand_id: int, cut_off: date, at_block: int, result: Reconciled, at: int) -> None:
        self._session.execute(
            insert(ReconciliationRow).values(
                reconciliation_id=reconciliation_id,
                brand_id=brand_id,
                cut_off_date=cut_off.isoformat(),
                at_block=at_block,
                summary=json.dumps(summary_of(result), sort_keys=True),
                created_at=at,
            )
        )
        frame = {"reconciliation_id": reconciliation_id, "brand_id": brand_id}
        self._add_matches(frame, result)
        self._add_breaks(frame, result)
        self._insert(PayoutRow, [frame | {name: getattr(one, name) for name in one.__slots__} for one in result.payouts])

    def _add_matches(self, frame: dict[str, object], result: Reconciled) -> None:
        numbered = list(enumerate(result.matches, start=1))
        matches = [
            frame | {"match_number": number, "payment_id": one.payment_id, "kind": one.kind.value, "amount_minor": one.amount_minor}
            for number, one in numbered
        ]
        claims = [
            {"reconciliation_id": frame["reconciliation_id"], "match_number": number, "payment_record_id": record_id}
            for number, one in numbered
            for record_id in one.payment_record_ids
        ]
        self._insert(MatchRow, matches)
        self._insert(MatchRecordRow, claims)

    def _add_breaks(self, frame: dict[str, object], result: Reconciled) -> None:
        breaks = []
        for number, one in enumerate(result.breaks, start=1):
            values = {name: getattr(one, name) for name in one.__slots__}
            breaks.append(frame | values | {"break_number": number, "kind": one.kind.value})
        self._insert(BreakRow, breaks)

    def _insert(self, row: type[MatchRow | MatchRecordRow | BreakRow | PayoutRow], values: list[dict[str, object]]) -> None:
        for some in chunks(values, _ROWS_AT_ONCE):
            self._session.connection().execute(insert(row), some)  # past the ORM: twice as fast


def summary_of(result: Reconciled) -> dict[str, object]:
    """The figures of a result."""
    matched = Counter(one.kind.value for one in result.matches)
    remainders = [one for one in result.payouts if one.remainder_minor]
    return {
        "records": result.record_count,
        "matches": {"charge": matched["charge"], "refund": matched["refund"]},
        "records_matched": sum(len(one.payment_record_ids) for one in result.matches),
        "breaks": result.breaks_by_kind,
        "purchases_not_due": result.not_due_count,
        "refunds_without_record": len(result.refunds_without_record),
        "by_evidence": {"purchases": len(result.by_evidence), "points": sum(one.points_issued or 0 for one in result.by_evidence)},
        "payouts": len(result.payouts),
        "payouts_with_remainder": len(remainders),
    }
