"""Asks a brand's signer over HTTP (POST /sign-batch, bearer token). Whatever is no clear answer is asked for again.

A signer is a stranger: of what it says a signature, indexes and codes are kept, each of the form that is due, and nothing else.
"""

from __future__ import annotations

import json
import ssl
from typing import Any

from gateway.foreign.addresses import AddressPolicy
from gateway.foreign.client import ForeignAnswer, ForeignClient, NoAnswer, NotConnected
from gateway.foreign.reading import Unreadable, read_code, read_index, read_json, read_list, read_object
from gateway.rounds.signer_port import NotReached, NumberTaken, Signed, SignerAddress, SignerRefusal, SigningRequest
from gateway.values.errors import Unavailable
from gateway.values.hex import BadHex, hex_text, to_bytes
from gateway.values.printing import printable
from gateway.values.urls import without_secrets

_ANSWER_BYTES_MAX = 64 * 1024  # headers and all; 300 entries refused with the longest codes are half of it
_BATCH_BYTES_MAX = 512 * 1024  # of one that was signed, in hex: 300 issues are a quarter of it
_NUMBER_MAX = 2**63 - 1  # of a batch, that the database keeps


class HttpSigner:
    """Thread-safe. `timeout_seconds` is all that a question may take. `close()` breaks off what is under way; it may sign again after."""

    def __init__(self, timeout_seconds: float, addresses: AddressPolicy, authorities: ssl.SSLContext | None = None) -> None:
        self._client = ForeignClient(seconds=timeout_seconds, bytes_max=_ANSWER_BYTES_MAX, addresses=addresses, authorities=authorities)

    def sign(self, address: SignerAddress, request: SigningRequest) -> Signed | SignerRefusal:
        """The signature, or the entries that the brand's books do not support. Raises Unavailable, NotReached or NumberTaken."""
        asked = {
            "brand_id": request.brand_id,
            "number": request.number,
            "deadline": request.deadline,
            "entries": hex_text(request.entries),
            "details": list(request.details),
        }
        answer, shown_url = self._answer(address, "POST", "/sign-batch", asked), _shown(address)
        try:
            return _read(answer, len(request.details))
        except (Unreadable, BadHex) as error:
            why = f": {error}" if isinstance(error, Unreadable) else ": no signature of 65 bytes"
            raise Unavailable(f"The signer at {shown_url} answered {answer.status}{why}") from error

    def signed(self, address: SignerAddress, number: int) -> bytes:
        """The entries that it says it signed under a number; not whether they are any. Raises Unavailable or NotReached."""
        answer, shown_url = self._answer(address, "POST", "/signed-batch", {"number": number}, _BATCH_BYTES_MAX), _shown(address)
        try:
            said = read_object(read_json(answer.content))
            if answer.status != 200 or said.get("number") != number:
                raise Unreadable(f"not the batch {number} that it said it signed{_code_of(said)}")
            return to_bytes(said.get("entries"))
        except (Unreadable, BadHex) as error:
            raise Unavailable(f"The signer at {shown_url} answered {answer.status}: {error}") from error

    def ask(self, address: SignerAddress, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of any of its routes, unchecked. Raises Unavailable or NotReached."""
        answer = self._answer(address, method, path, body)
        try:
            return answer.status, read_json(answer.content)
        except Unreadable as error:
            raise Unavailable(f"The signer at {_shown(address)} answered {answer.status}: {error}") from error

    def _answer(self, address: SignerAddress, method: str, path: str, body: Any, bytes_max: int | None = None) -> ForeignAnswer:
        url, headers = f"{address.url.rstrip('/')}{path}", {"Authorization": f"Bearer {address.token}"}
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._client.ask(method, url, headers, content, bytes_max)
        except NotConnected as error:
            raise NotReached(f"The signer at {_shown(address)} is not there: {error}") from error
        except NoAnswer as error:
            raise Unavailable(f"The signer at {_shown(address)} does not answer: {error}") from error

    def close(self) -> None:
        self._client.close()


def _shown(address: SignerAddress) -> str:
    return printable(without_secrets(address.url))


def _read(answer: ForeignAnswer, entry_count: int) -> Signed | SignerRefusal:
    said = read_object(read_json(answer.content))
    if answer.status == 200:
        return Signed(to_bytes(said.get("signature"), 65))
    if answer.status != 409:
        raise Unreadable(f"neither a signature nor refused entries{_code_of(said)}")
    if said.get("error") == "number_used":
        raise NumberTaken
    refused = [read_object(each) for each in read_list(said.get("refused"))]
    reasons = {read_index(each.get("index"), entry_count): read_code(each.get("reason")) for each in refused}
    if not reasons or len(reasons) != len(refused):
        raise Unreadable("no entry is refused, or one twice")
    numbers = {each["index"]: each["number"] for each in refused if each.get("number") is not None}
    if any(type(number) is not int or not 0 < number <= _NUMBER_MAX for number in numbers.values()):
        raise Unreadable("no number of a batch where one is told")
    return SignerRefusal(reasons, numbers)


def _code_of(said: Any) -> str:
    try:
        return f" ({read_code(said.get('error'))})"
    except Unreadable:
        return ""
