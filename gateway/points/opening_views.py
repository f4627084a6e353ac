"""How an opening import stands: counts and sums in the earlier programme's units and in points, and its lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session

from gateway.points.opening import StoredOpeningFile
from gateway.points.tables import OpeningLineRow
from gateway.rounds.tables import OperationRow
from gateway.values.calendar import expiry_date

STATES = ("confirmed", "pending", "waiting", "refused", "unusable")
"""On the ledger; on its way; until the member enrolls; by signer or ledger, until the file is sent again; never."""


@dataclass(frozen=True, slots=True)
class OpeningSums:
    """Of the lines in one state."""

    lines: int
    units: int
    points: int


@dataclass(frozen=True, slots=True)
class OpeningFileView:
    """Of all lines that are not unusable holds: units x ratio_points = points x ratio_units + rounded_off."""

    opening_file_id: str
    brand_id: int
    file_name: str
    source: str
    programme: str
    ratio_points: int
    ratio_units: int
    expires_on: str | None
    row_count: int
    units: int
    points: int
    rounded_off: int
    states: dict[str, OpeningSums]


@dataclass(frozen=True, slots=True)
class OpeningLineView:
    line_number: int
    state: str
    member_id: str | None
    units: int
    points: int
    expiry_date: str | None
    operation_id: str | None
    reason: str | None


def opening_file_view(session: Session, file: StoredOpeningFile) -> OpeningFileView:
    line, state = OpeningLineRow, _state()
    sums = (func.count(), func.coalesce(func.sum(line.units), 0), func.coalesce(func.sum(line.points), 0))
    rows = session.execute(_joined(state, *sums).where(line.opening_file_id == file.opening_file_id).group_by(state))
    states = {name: OpeningSums(0, 0, 0) for name in STATES}
    states.update({name: OpeningSums(count, int(units), int(points)) for name, count, units, points in rows})
    used = [one for name, one in states.items() if name != "unusable"]
    units, points, terms = sum(one.units for one in used), sum(one.points for one in used), file.terms
    return OpeningFileView(
        file.opening_file_id,
        file.brand_id,
        file.file_name,
        str(file.source),
        terms.programme,
        terms.ratio_points,
        terms.ratio_units,
        None if terms.expires_on is None else terms.expires_on.isoformat(),
        file.row_count,
        units,
        points,
        units * terms.ratio_points - points * terms.ratio_units,
        states,
    )


def opening_lines(session: Session, opening_file_id: str, *, state: str | None, after_line: int, limit: int) -> list[OpeningLineView]:
    """In the file's order."""
    line, of_line = OpeningLineRow, _state()
    query = _joined(of_line, line, OperationRow.reason).where(line.opening_file_id == opening_file_id, line.line_number > after_line)
    if state is not None:
        query = query.where(of_line == state)
    rows = session.execute(query.order_by(line.line_number).limit(limit))
    return [_line_view(name, row, refused) for name, row, refused in rows]


def _line_view(state: str, row: OpeningLineRow, refused: str | None) -> OpeningLineView:
    reason = refused if state == "refused" else "no such member has enrolled yet" if state == "waiting" else row.reason
    member = None if row.member_id is None else str(row.member_id)
    expiry = None if row.member_id is None else expiry_date(row.expiry_day)
    return OpeningLineView(row.line_number, state, member, row.units, row.points, expiry, row.operation_id, reason)


def _joined(*columns: Any) -> Select[Any]:
    return select(*columns).select_from(OpeningLineRow).outerjoin(OperationRow, OperationRow.operation_id == OpeningLineRow.operation_id)


def _state() -> ColumnElement[str]:
    line, status = OpeningLineRow, OperationRow.status
    return case(
        (line.reason.is_not(None), literal("unusable")),
        (line.operation_id.is_(None), literal("waiting")),
        (status == "confirmed", literal("confirmed")),
        (status == "refused", literal("refused")),
        else_=literal("pending"),
    )
