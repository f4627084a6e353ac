"""Members and, from the projection, what may consent for them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import bindparam, insert, select

from gateway.ledger.state import GrantRecord
from gateway.members.member import Authorizer, Member
from gateway.members.tables import MemberRow
from gateway.projection.ledger_state import grant_record
from gateway.projection.member_tables import LedgerGrantRow, LedgerMemberRow
from gateway.projection.tables import LedgerAuthorizerRow
from gateway.store.chunks import chunks
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.ids import Hash, MemberId, OperationId


class SqlMembers:
    """New members are inserted together when the unit of work ends."""

    def __init__(self, work: UnitOfWork) -> None:
        self._session = work.session
        self._seen: dict[MemberId, tuple[Member, OperationId] | None] = {}
        self._new: list[dict[str, object]] = []
        work.before_reading(self.flush)

    def find(self, member_id: MemberId) -> Member | None:
        found = self._found(member_id)
        return None if found is None else found[0]

    def known(self, member_ids: Iterable[MemberId]) -> set[MemberId]:
        """Those of them that are members."""
        wanted = set(member_ids)
        self.prefetch(wanted)
        return {member_id for member_id in wanted if self._seen[member_id] is not None}

    def operation_of(self, member_id: MemberId) -> OperationId | None:
        """The operation that enrolls the member."""
        found = self._found(member_id)
        return None if found is None else found[1]

    def prefetch(self, member_ids: Iterable[MemberId]) -> None:
        """Reads many members at once."""
        for some in chunks({member_id for member_id in member_ids if member_id not in self._seen}):
            self._seen.update(dict.fromkeys(some))
            for row in self._session.execute(_COLUMNS.where(MemberRow.member_id.in_(some))):
                member_id, kind, authorizer, salt, operation_id = row
                self._seen[member_id] = Member(member_id, kind, authorizer, salt), OperationId(operation_id)

    def add(self, member: Member, operation_id: OperationId, at: int) -> None:
        self._seen[member.member_id] = (member, operation_id)
        self._new.append(
            {
                "member_id": member.member_id,
                "authorizer_kind": member.authorizer_kind,
                "authorizer": member.authorizer,
                "salt": member.salt,
                "operation_id": operation_id,
                "created_at": at,
            }
        )

    def authorizers(self, member_id: MemberId) -> list[Authorizer]:
        rows = self._session.execute(
            select(LedgerAuthorizerRow.kind, LedgerAuthorizerRow.authorizer).where(LedgerAuthorizerRow.member_id == member_id)
        )
        return [Authorizer(kind, authorizer) for kind, authorizer in rows]

    def is_locked(self, member_id: MemberId) -> bool:
        return member_id in self.locked([member_id])

    def locked(self, member_ids: Iterable[MemberId]) -> set[MemberId]:
        """Those of them that have locked their spending; a few hundred at most are asked for."""
        return set(self._session.scalars(_LOCKED, {"named": list(member_ids)}))

    def grant(self, giver: MemberId, to: Hash) -> GrantRecord | None:
        """What the member granted last to a brand or another member, withdrawn grants too."""
        row = self._session.get(LedgerGrantRow, (giver, to))
        return None if row is None else grant_record(row)

    def flush(self) -> None:
        if self._new:
            self._session.execute(insert(MemberRow), self._new)
            self._new.clear()

    def _found(self, member_id: MemberId) -> tuple[Member, OperationId] | None:
        if member_id not in self._seen:
            self.prefetch([member_id])
        return self._seen[member_id]


_COLUMNS = select(MemberRow.member_id, MemberRow.authorizer_kind, MemberRow.authorizer, MemberRow.salt, MemberRow.operation_id)
_LOCKED = select(LedgerMemberRow.member_id).where(
    LedgerMemberRow.is_locked, LedgerMemberRow.member_id.in_(bindparam("named", expanding=True))
)
