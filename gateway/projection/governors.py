"""The projection of who governs: operator, guardian, approvers and the delay, from the founding on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import Event
from gateway.projection.tables import LedgerGovernorsRow
from gateway.store.upsert import set_rows

_SINGLE = 1


class GovernorsRegister:
    """The founding says everything at once, so that there is a whole row or none."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._who: dict[str, Any] = {}
        self._is_changed = False
        row = session.scalar(select(LedgerGovernorsRow))
        if row is not None:
            self._who = {column.name: getattr(row, column.name) for column in LedgerGovernorsRow.__table__.columns}

    def event(self, event: Event) -> bool:
        """False for an event that says nothing of who governs."""
        values = event.values
        match event.name:
            case "OperatorReplaced":
                self._who["operator_address"] = values["to"]
            case "GuardianReplaced":
                self._who["guardian_address"] = values["to"]
            case "ApproversSet":
                self._who["approver_addresses"] = ",".join(each.lower() for each in values["approvers"])
                self._who["approvals_needed"] = values["threshold"]
            case "MinDelayChange":
                self._who["delay_seconds"] = values["newDuration"]
            case _:
                return False
        self._is_changed = True
        return True

    def write(self) -> None:
        if self._is_changed:
            set_rows(self._session, LedgerGovernorsRow, [{**self._who, "single": _SINGLE}])
