"""What can go wrong with a call, as types. All are GatewayTrouble."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class GatewayTrouble(Exception):
    """A call to which there is no good answer."""


class NotReached(GatewayTrouble):
    """The gateway did not answer, or not in time. Whether a write was made is not known: send it again under the same key."""


class WrongAnswer(GatewayTrouble):
    """Something answered, but not as a gateway does: another type, no JSON, or more than the bound."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Refused(GatewayTrouble):
    """The gateway's typed no (problem details, RFC 9457). `code` is stable; `facts` names the numbers behind it; `remedy` says what to
    do about it; `retry_after_seconds` is there where the gateway said when to come again."""

    def __init__(self, status: int, found: Mapping[str, Any], remedy: str, retry_after_seconds: int | None) -> None:
        self.status = status
        self.code = str(found.get("code", "refused"))
        self.title = str(found.get("title", ""))
        self.detail = str(found.get("detail", ""))
        facts = found.get("facts")
        self.facts: dict[str, Any] = facts if isinstance(facts, dict) else {}
        self.remedy = remedy
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{status} {self.code}: {self.detail}{f' {remedy}' if remedy else ''}")
