"""The way to one other issuer's agent: evidence is signed and handed over, or it is asked whether it has counted one already."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from gateway.brand_agent.evidence import LATER, EvidenceDocument
from gateway.brand_agent.gateway_client import GatewayAnswer, object_of
from gateway.brand_signer.key import Key
from gateway.foreign.client import ForeignClient, NoAnswer, NotConnected
from gateway.foreign.reading import Unreadable, read_code, read_json, read_object
from gateway.ledger.signing import Domain
from gateway.secret_files import UnsafeFile
from gateway.values.hex import hex_text

_ANSWER_SECONDS, _ANSWER_BYTES_MAX = 10, 64 * 1024
_TAKEN, _FINAL = (200, 201, 202), (400, 409, 413, 422)  # by an agent's word: what else listens at its URL says nothing of evidence


class Telling(StrEnum):
    """How it ended. nothing: there was nothing to tell, as of a sale without a member."""

    COUNTED = "counted"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom to tell. `token` is what its agent gave this one; `lines_consent` names the consent to which cart lines go along."""

    brand_id: int
    url: str
    token: Callable[[], str]
    authorities: ssl.SSLContext | None
    lines_consent: str | None


@dataclass(frozen=True, slots=True)
class Taking:
    """What became of it; without an outcome it is to be told again, and where the addressee is away all else is, too."""

    outcome: Telling | None
    reason: str | None = None
    is_away: bool = False


class AddresseeAway(Exception):
    """It does not say; the message says why."""


class EvidencePost:
    """Close it at the end."""

    def __init__(self, addressee: Addressee, key: Key, domain: Domain) -> None:
        self._to = addressee
        self._key = key
        self._domain = domain
        self._client = ForeignClient(
            seconds=_ANSWER_SECONDS, bytes_max=_ANSWER_BYTES_MAX, addresses=None, authorities=addressee.authorities
        )

    def tell(self, document: EvidenceDocument) -> Taking:
        try:
            told, code = self._ask("/v1/evidence", document)
        except AddresseeAway as away:
            return Taking(None, str(away), is_away=True)
        if told.is_gateways and told.status in _TAKEN and "state" in told.body:
            return Taking(Telling.COUNTED)
        if told.is_gateways and told.status in _FINAL:
            return Taking(Telling.REFUSED, code)
        return Taking(None, code, is_away=code != LATER)

    def is_counted(self, document: EvidenceDocument) -> bool:
        """Raises AddresseeAway. An agent of an earlier version cannot be asked: what it took is taken for there."""
        told, code = self._ask("/v1/evidence/counted", document)
        counted = told.body.get("counted")
        if told.status == 200 and isinstance(counted, bool):
            return counted
        if told.is_gateways and told.status == 404:
            return True
        raise AddresseeAway(code)

    def close(self) -> None:
        self._client.close()

    def _ask(self, path: str, document: EvidenceDocument) -> tuple[GatewayAnswer, str]:
        """(the answer, in a word what it says)."""
        signature = hex_text(self._key.sign(document.digest(self._domain)))
        content = json.dumps({"document": document.text(), "signature": signature}).encode()
        try:
            sent = {"Authorization": f"Bearer {self._to.token()}", "Content-Type": "application/json", "Content-Length": str(len(content))}
            answer = self._client.ask("POST", f"{self._to.url}{path}", sent, content)
        except (UnsafeFile, NotConnected, NoAnswer) as away:
            raise AddresseeAway(str(away)) from away
        told, code = GatewayAnswer(answer.status, object_of(answer.content)), _code(answer.content, answer.status)
        if answer.status < 500 and not told.is_gateways:
            code = f"what answers at its url in agent.evidence.to is no agent ({code}): correct it, and start the agent again"
        return told, code


def _code(content: bytes, status: int) -> str:
    try:
        return read_code(read_object(read_json(content)).get("code"))
    except Unreadable:
        return f"status_{status}"
