"""The gateway as a second person sees it: acts that wait, and where signatures are sent. What holds is no question to it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from gateway.foreign.client import ForeignClient, NoAnswer, NotConnected
from gateway.foreign.reading import Unreadable, read_json
from gateway.ledger.admission import AdmissionCriteria, SignedChecklist
from gateway.ledger.governance import Approval
from gateway.second_people.check_act import ToldAct
from gateway.second_people.known_coalition import KnownCoalition
from gateway.values.errors import Invalid, NotFound, Unavailable
from gateway.values.hex import hex_text
from gateway.values.ids import OperationId, sha256
from gateway.values.printing import printable
from gateway.values.urls import without_secrets

_ANSWER_BYTES_MAX = 32 * 2**20
_Read = TypeVar("_Read")


class GatewayClient:
    """Speaks with one API key, or with none where everybody may read. Close it at the end."""

    def __init__(self, url: str, token: str | None, timeout_seconds: float = 30.0, authorities: ssl.SSLContext | None = None) -> None:
        """`authorities` None: the public ones."""
        self._url = url.rstrip("/")
        self._shown_url = printable(without_secrets(url))
        self._key = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = ForeignClient(seconds=timeout_seconds, bytes_max=_ANSWER_BYTES_MAX, addresses=None, authorities=authorities)

    def coalition(self) -> KnownCoalition:
        return self._read("coalition", lambda: KnownCoalition.parse(self._get("/v1/coalition")))

    def acts(self) -> list[ToldAct]:
        return self._read("acts", lambda: [ToldAct.parse(each) for each in self._get("/v1/governance/acts")["acts"]])

    def act(self, operation_id: str) -> ToldAct:
        found = next((each for each in self.acts() if operation_id in (each.operation_id, str(each.act_id))), None)
        if found is None:
            raise NotFound(f"no act {operation_id} waits: `splittally acts` lists those that do", operation_id=operation_id)
        return found

    def is_executed(self, operation_id: str) -> bool:
        """By the gateway's word; False, too, where this key may not ask."""
        try:
            return bool(self._get(f"/v1/operations/{quote(operation_id, safe='')}")["status"] == "confirmed")
        except (Invalid, KeyError, TypeError):
            return False

    def admission_criteria(self, version: int | None = None) -> AdmissionCriteria:
        """Those in force, or an earlier version, as the gateway tells them: what is signed names their texts."""
        path = "/v1/coalition/admission-criteria" + ("" if version is None else f"?version={version}")
        return self._read("admission criteria", lambda: AdmissionCriteria.parse(self._get(path)))

    def documents(self, brand_id: int) -> list[dict[str, Any]]:
        """What the brand published, in its order."""
        return list(self._get(f"/v1/brands/{brand_id}/documents"))

    def read(self, path: str) -> Any:
        """What stands there, as the gateway tells it."""
        return self._get(path)

    # What is sent

    def send_approval(self, operation_id: OperationId, given: Approval, checklist: SignedChecklist | None = None) -> dict[str, Any]:
        body: dict[str, Any] = {"approved_at": given.approved_at, "good_until": given.good_until, "signature": hex_text(given.signature)}
        if checklist is not None:
            body["checklist"] = {**checklist.checklist.as_json(), "signature": hex_text(checklist.signature)}
        return self.post(f"/v1/governance/acts/{operation_id}/approvals", body)

    def send_veto(self, operation_id: OperationId, signature: bytes) -> dict[str, Any]:
        return self.post(f"/v1/governance/acts/{operation_id}/veto", {"signature": hex_text(signature)})

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The signature makes each of these what it is: it is its own idempotency key."""
        content = json.dumps(body).encode()
        key = sha256(json.dumps([path, body], sort_keys=True).encode()).hex()
        return dict(self._ask("POST", path, {"Content-Type": "application/json", "Idempotency-Key": key}, content))

    def close(self) -> None:
        self._client.close()

    def _get(self, path: str) -> Any:
        return self._ask("GET", path, {})

    def _ask(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None) -> Any:
        try:
            answer = self._client.ask(method, self._url + path, {**self._key, **headers}, content)
            body = read_json(answer.content)
        except (NotConnected, NoAnswer, Unreadable) as error:
            remedy = "see that it runs and that --gateway names it"
            raise Unavailable(f"the gateway at {self._shown_url} does not answer ({error}): {remedy}") from error
        if answer.status >= 300:
            told = body if isinstance(body, dict) else {}
            code = printable(str(told.get("code", answer.status)), 64)
            raise Invalid(f"the gateway refused ({code}): {_detail(told)}", code=code)
        return body

    def _read(self, what: str, read: Callable[[], _Read]) -> _Read:
        try:
            return read()
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Unavailable(
                f"the gateway at {self._shown_url} tells nothing of {what} that can be read: is it of another version?"
            ) from error


def _detail(told: Mapping[str, Any]) -> str:
    detail = told.get("detail", "")
    return printable(detail, 2_000) if isinstance(detail, str) else ""
