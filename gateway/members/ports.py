"""What enrolment and consent need to know of members; SQL stands behind it in rows.py."""

from __future__ import annotations

from typing import Protocol

from gateway.members.member import Authorizer, Member


class Members(Protocol):
    def find(self, member_id: str) -> Member | None: ...
    def operation_of(self, member_id: str) -> str | None: ...
    def add(self, member: Member, operation_id: str, at: int) -> None: ...
    def authorizers(self, member_id: str) -> list[Authorizer]: ...
