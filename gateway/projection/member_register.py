"""The projection of what members' acts left; the model's state is kept in step, for a locked member's entries are refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from gateway.chain.artifacts import Event
from gateway.ledger.model_members import record_grant, record_guardian, record_recovery, record_spend_lock, record_unlock
from gateway.ledger.state import GrantRecord, LedgerState, MemberRecord
from gateway.projection.member_tables import LedgerGrantRow, LedgerMemberRow, LedgerPendingActRow
from gateway.store.chunks import chunks
from gateway.store.upsert import set_rows
from gateway.values.ids import Hash, MemberId
from gateway.values.points import MOST_POINTS_KEPT


class MemberRegister:
    """`members` are all whom events may name. Authorizers are kept elsewhere."""

    def __init__(self, session: Session, state: LedgerState, members: Collection[MemberId]) -> None:
        self._session = session
        self._state = state
        self._guardians: dict[MemberId, tuple[int, bytes]] = {}
        self._changed: set[MemberId] = set()
        self._recovered: set[MemberId] = set()
        self._pending: dict[Hash, dict[str, Any] | None] = {}
        for some in chunks(sorted(members)):
            for row in session.scalars(select(LedgerMemberRow).where(LedgerMemberRow.member_id.in_(some))):
                self._guardians[row.member_id] = row.guardian_kind, row.guardian

    def event(self, event: Event) -> bool:
        """Changes what the event says; whether it was one of a member's acts."""
        values = event.values
        named = values.get("member", values.get("giver"))
        if event.name not in _EVENTS or named is None:
            return False
        member = MemberId(named)
        record = self._state.members.setdefault(member, MemberRecord())
        self._changed.add(member)
        match event.name:
            case "MemberActed":
                record.acts = values["acts"]
            case "MemberLocked":
                record_spend_lock(record)
            case "MemberUnlocked":
                record_unlock(record)
            case "GuardianSet":
                self._guardians[member] = values["kind"], values["authorizer"]
                record_guardian(record, *self._guardians[member])
            case "MemberRecovered":
                record_recovery(record)
                self._recovered.add(member)
            case "GrantSet":
                per_purchase, per_day, in_all = (min(values[name], MOST_POINTS_KEPT) for name in ("perPurchase", "perDay", "inAll"))
                record_grant(record, Hash(values["to"]), GrantRecord(per_purchase, per_day, in_all, values["until"]))
            case "ActRequested":
                self._pending[Hash(values["actId"])] = _pending_row(member, record.turn, values)
            case "ActExecuted" | "ActVetoed":
                self._pending[Hash(values["actId"])] = None
        return True

    def write(self) -> None:
        for member in self._recovered:
            self._session.execute(delete(LedgerGrantRow).where(LedgerGrantRow.giver_id == member))
        members = [self._member_row(member) for member in sorted(self._changed)]
        set_rows(self._session, LedgerMemberRow, members)
        set_rows(self._session, LedgerGrantRow, self._grant_rows())
        over = [act_id for act_id, row in self._pending.items() if row is None]
        for some in chunks(over):
            self._session.execute(delete(LedgerPendingActRow).where(LedgerPendingActRow.act_id.in_(some)))
        set_rows(self._session, LedgerPendingActRow, [row for row in self._pending.values() if row is not None])

    def _member_row(self, member: MemberId) -> dict[str, Any]:
        record = self._state.members[member]
        kind, authorizer = self._guardians.get(member, (0, b""))
        return {
            "member_id": member,
            "acts": record.acts,
            "turn": record.turn,
            "epoch": record.epoch,
            "is_locked": record.is_locked,
            "guardian_kind": kind,
            "guardian": authorizer,
        }

    def _grant_rows(self) -> list[dict[str, Any]]:
        """Of everybody, since entries spend of grants."""
        return [
            {"giver_id": member, "granted_to": to, **{name: getattr(grant, name) for name in GRANT_FIELDS}}
            for member, record in sorted(self._state.members.items())
            for to, grant in record.grants.items()
        ]


GRANT_FIELDS = ("per_purchase", "per_day", "in_all", "until", "spent_in_all", "spent_on_day", "spent_day")
_EVENTS = frozenset(
    {
        "MemberActed",
        "MemberLocked",
        "MemberUnlocked",
        "GuardianSet",
        "MemberRecovered",
        "GrantSet",
        "ActRequested",
        "ActExecuted",
        "ActVetoed",
    }
)


def _pending_row(member: MemberId, turn: int, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "act_id": Hash(values["actId"]),
        "member_id": member,
        "what": values["what"],
        "kind": values["kind"],
        "authorizer": values["authorizer"],
        "nonce": str(values["nonce"]),
        "deadline": values["deadline"],
        "ready_at": values["readyAt"],
        "turn": turn,
    }
