"""What enrolment and consent need to know of members; SQL stands behind it in rows.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gateway.members.member import Authorizer, Member
from gateway.values.ids import MemberId, OperationId


class Members(Protocol):
    def find(self, member_id: MemberId) -> Member | None: ...
    def known(self, member_ids: Iterable[MemberId]) -> set[MemberId]: ...
    def operation_of(self, member_id: MemberId) -> OperationId | None: ...
    def add(self, member: Member, operation_id: OperationId, at: int) -> None: ...
    def authorizers(self, member_id: MemberId) -> list[Authorizer]: ...
