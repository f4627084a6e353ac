"""What the agent says to the gateway: parcels of items, and questions about operations. Answers are bounded, and none is believed to be
a gateway's that does not look like one."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.foreign.client import ForeignClient, NoAnswer, NotConnected, NotInTime
from gateway.foreign.reading import Unreadable, read_json, read_object
from gateway.secret_files import UnsafeFile

_ANSWER_BYTES_MAX = 32 * 1024 * 1024
PROBLEM = "urn:splittally:problem:"


class GatewayAway(Exception):
    """Nothing is to be had now: no connection, a broken one, or an answer that says so. What was sent may have arrived."""

    def __init__(self, reason: str, retry_after: int = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class GatewaySilent(GatewayAway):
    """The request was taken and not answered in time."""


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    status: int
    body: Mapping[str, Any]

    @property
    def code(self) -> str:
        """A problem's code."""
        code = self.body.get("code")
        return code if isinstance(code, str) and code.isascii() and len(code) <= 64 else f"status_{self.status}"


class ForwardingClient:
    """One pool of connections; may be used by several threads."""

    def __init__(self, url: str, api_key: Callable[[], str], authorities: ssl.SSLContext | None = None, seconds: float = 20) -> None:
        self._client = ForeignClient(seconds=seconds, bytes_max=_ANSWER_BYTES_MAX, addresses=None, authorities=authorities)
        self._url = url
        self._api_key = api_key

    def post(self, path: str, content: bytes, idempotency_key: str, wait_seconds: int = 0) -> GatewayAnswer:
        """Raises GatewayAway. `wait_seconds`: for the ledger, at most."""
        wait = {"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}
        return self._ask("POST", path, content, {"Idempotency-Key": idempotency_key, "Content-Type": "application/json", **wait})

    def operation(self, operation_id: str) -> GatewayAnswer:
        return self._ask("GET", f"/v1/operations/{operation_id}")

    def newest_operations(self, cursor: str | None) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """(a page, the cursor of the next)."""
        found = self._ask("GET", "/v1/operations?limit=200" + (f"&cursor={cursor}" if cursor else ""))
        operations, following = found.body.get("operations"), found.body.get("next_cursor")
        if found.status != 200 or not isinstance(operations, list):
            raise GatewayAway(f"it lists no operations: {found.code}")
        return [one for one in operations if isinstance(one, dict)], following if isinstance(following, str) else None

    def rules(self, brand_id: int, after: int) -> Sequence[Mapping[str, Any]]:
        """Versions of the brand's rule, each with its whole number; what is no such thing is left out."""
        found = self._ask("GET", f"/v1/brands/{brand_id}/rules?after={after}")
        listed = found.body.get("rules")
        if found.status != 200 or not isinstance(listed, list):
            raise GatewayAway(f"it lists no rules: {found.code}")
        return [one for one in listed if isinstance(one, dict) and type(one.get("version")) is int and one["version"] > 0]

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None) -> GatewayAnswer:
        try:
            sent = {"Authorization": f"Bearer {self._api_key()}", **(headers or {})}
        except UnsafeFile as error:
            raise GatewayAway(f"there is no API key to ask it with: {error}") from error
        if content is not None:
            sent["Content-Length"] = str(len(content))
        try:
            found = self._client.ask(method, self._url + path, sent, content)
        except NotInTime as error:
            raise GatewaySilent("it does not answer in time") from error
        except (NotConnected, NoAnswer) as error:
            raise GatewayAway(str(error)) from error
        status, answer = found.status, GatewayAnswer(found.status, _object(found.content))
        if status in (401, 403):
            raise GatewayAway(f"it refuses the brand's API key ({answer.code}): put the right one into agent.gateway_key")
        if status in (429, 502, 503, 504):
            raise GatewayAway(f"it answers {status} ({answer.code})", found.retry_after)
        return answer


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        return read_object(read_json(content))
    except Unreadable:
        return {}
