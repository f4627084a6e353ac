"""What the agent says to the gateway: parcels of items, and questions about operations. Answers are bounded, and nothing is said before
what answers has named the brand's own coalition: another server says nothing of items by refusing them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gateway.foreign.client import ForeignAnswer, ForeignClient, NoAnswer, NotConnected, NotInTime
from gateway.foreign.reading import Unreadable, read_json, read_object
from gateway.ledger.signing import Domain
from gateway.secret_files import UnsafeFile
from gateway.values.printing import printable
from gateway.values.urls import without_secrets

NAMED_AT_ONCE = 100  # a request line of 5 KB: proxies take 8
_ANSWER_BYTES_MAX = 32 * 1024 * 1024
_NO_PATHS = ("unknown_route", "method_not_allowed", "wrong_host")  # a gateway's words for a URL that is wrong
_DETAIL_LENGTH_MAX = 500
PROBLEM = "urn:splittally:problem:"


class GatewayAway(Exception):
    """Nothing is to be had now: no connection, a broken one, or an answer that says so. What was sent may have arrived."""

    def __init__(self, reason: str, retry_after: int = 0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class GatewaySilent(GatewayAway):
    """The request was taken and not answered in time."""


class NotTheGateway(GatewayAway):
    """Something answers at gateway_url that is not the coalition's gateway."""


class NoAnswerOfGateways(NotTheGateway):
    """What a moment ago was the gateway answers otherwise: something between may refuse this one request."""


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    status: int
    body: Mapping[str, Any]

    @property
    def code(self) -> str:
        """A problem's code."""
        code = self.body.get("code")
        return code if isinstance(code, str) and code.isascii() and len(code) <= 64 else f"status_{self.status}"

    @property
    def detail(self) -> str | None:
        """A problem's words."""
        told = self.body.get("detail")
        return printable(told, _DETAIL_LENGTH_MAX) if isinstance(told, str) and told else None

    @property
    def is_gateways(self) -> bool:
        """Whether it is a success with an object, or a problem in the gateway's own form about a path that it has."""
        if 200 <= self.status < 300:
            return bool(self.body)
        if self.body.get("type") != PROBLEM + self.code or self.body.get("status") != self.status:
            return False
        is_of_before = self.code == "not_found" and self.body.get("detail") == "Not Found"  # how earlier gateways said unknown_route
        return self.code not in _NO_PATHS and not is_of_before


class ForwardingClient:
    """One pool of connections; may be used by several threads. What it is to whom stands in its constants."""

    NAME = "gateway"
    PEER, A_PEER = "the gateway", "no gateway"
    URL_NAME = "gateway_url"
    _WRONG_KEY = "the brand's API key ({}): put the right one into agent.gateway_key"
    _NO_KEY = "there is no API key to ask it with"
    _NAMED_AT = "/v1/coalition"

    def __init__(
        self, url: str, api_key: Callable[[], str], domain: Domain, authorities: ssl.SSLContext | None = None, seconds: float = 20
    ) -> None:
        """`domain`: the ledger of the coalition whose gateway it is to be."""
        self._client = ForeignClient(seconds=seconds, bytes_max=_ANSWER_BYTES_MAX, addresses=None, authorities=authorities)
        self._url = url
        self._api_key = api_key
        self._domain = domain
        self.is_recognized = False

    def post(self, path: str, content: bytes, idempotency_key: str, wait_seconds: int = 0) -> GatewayAnswer:
        """Raises GatewayAway. `wait_seconds`: for the ledger, at most."""
        wait = {"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}
        named = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._ask("POST", path, content, {"Content-Type": "application/json", **named, **wait})

    def operation(self, operation_id: str) -> GatewayAnswer:
        return self._ask("GET", f"/v1/operations/{operation_id}")

    def operations(self, operation_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Those that it has of them, of which there may be NAMED_AT_ONCE; none from a gateway that cannot be asked for several."""
        found = self._ask("GET", f"/v1/operations?limit={NAMED_AT_ONCE}" + "".join(f"&operation_id={quote(one)}" for one in operation_ids))
        listed = found.body.get("operations")
        if 400 <= found.status < 500 and found.code == "invalid":
            return ()
        if found.status != 200 or not isinstance(listed, list):
            raise GatewayAway(f"it lists no operations: {found.code}")
        return [one for one in listed if isinstance(one, dict)]

    def greet(self) -> None:
        """Asks for nothing in particular, to learn whether the gateway is there and takes the API key. Raises GatewayAway."""
        self._ask("GET", "/v1/operations?limit=1")

    def rules(self, brand_id: int, after: int) -> Sequence[Mapping[str, Any]]:
        """Versions of the brand's rule, each with its whole number; what is no such thing is left out."""
        found = self._ask("GET", f"/v1/brands/{brand_id}/rules?after={after}")
        listed = found.body.get("rules")
        if found.status != 200 or not isinstance(listed, list):
            raise GatewayAway(f"it lists no rules: {found.code}")
        return [one for one in listed if isinstance(one, dict) and type(one.get("version")) is int and one["version"] > 0]

    def wrong_key(self, code: str) -> str:
        """What is wrong with the key that it refused, and whose it is to put right."""
        return self._WRONG_KEY.format(code)

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None) -> GatewayAnswer:
        try:
            sent = {"Authorization": f"Bearer {self._api_key()}", **(headers or {})}
        except UnsafeFile as error:
            raise GatewayAway(f"{self._NO_KEY}: {error}") from error
        if content is not None:
            sent["Content-Length"] = str(len(content))
        self.make_sure()
        found, answer = self._told(method, path, sent, content)
        if answer.status in (401, 403) and answer.is_gateways:
            raise GatewayAway(f"it refuses {self.wrong_key(answer.code)}")
        if answer.status in (429, 502, 503, 504):
            raise GatewayAway(f"it answers {answer.status} ({answer.code})", found.retry_after)
        if answer.status < 500 and not answer.is_gateways:
            self.is_recognized = False
            raise NoAnswerOfGateways(f"{self._shown} answers {method} {path[:100]} as {self.A_PEER} does ({answer.code}): {self._remedy}")
        return answer

    def make_sure(self) -> None:
        """That what answers is who it should be, before anything is said to it. Raises GatewayAway."""
        if not self.is_recognized:
            self._recognize()

    def _recognize(self) -> None:
        """By what it says of itself and its coalition, which is open to everyone. Raises GatewayAway."""
        found, answer = self._told("GET", self._NAMED_AT, {})
        if answer.status in (429, 502, 503, 504):
            raise GatewayAway(f"it answers {answer.status} ({answer.code})", found.retry_after)
        own = self._own()
        told = {name: answer.body.get(name) for name in own} if answer.status == 200 else {}
        if not any(told.values()):
            raise NotTheGateway(f"{self._shown} is {self.A_PEER} (GET {self._NAMED_AT}: {answer.code}): {self._remedy}")
        if told != own:
            differing = [name for name in own if told[name] != own[name]]
            raise NotTheGateway(f"{self._shown} is {self.PEER} of another {self._other(differing)}: {self._remedy}")
        self.is_recognized = True

    def _told(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> tuple[ForeignAnswer, GatewayAnswer]:
        try:
            found = self._client.ask(method, self._url + path, headers, content)
        except (NotConnected, NoAnswer) as error:
            self.is_recognized = False
            if isinstance(error, NotInTime):
                raise GatewaySilent("it does not answer in time") from error
            raise GatewayAway(str(error)) from error
        return found, GatewayAnswer(found.status, object_of(found.content))

    def _own(self) -> dict[str, Any]:
        """What it must say of itself."""
        return names_of(self._domain)

    def _other(self, differing: Sequence[str]) -> str:
        return f"coalition ({', '.join(differing)})"

    @property
    def shown_url(self) -> str:
        return without_secrets(self._url)

    @property
    def _remedy(self) -> str:
        return f"correct agent.{self.URL_NAME}, and start the agent again"

    @property
    def _shown(self) -> str:
        return printable(f"agent.{self.URL_NAME} {self.shown_url}")


def names_of(domain: Domain) -> dict[str, Any]:
    """By which a coalition is known."""
    return {"coalition_id": str(domain.coalition_id), "chain_id": domain.chain_id, "points_address": str(domain.verifying_contract)}


def object_of(content: bytes) -> Mapping[str, Any]:
    """Empty where it is none."""
    try:
        return read_object(read_json(content))
    except Unreadable:
        return {}
