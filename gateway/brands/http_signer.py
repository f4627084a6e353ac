"""Asks a brand's signer over HTTP (POST /sign-batch, bearer token). Whatever is no clear answer is asked for again."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from gateway.rounds.signer_port import NotReached, NumberTaken, Signed, SignerAddress, SignerRefusal, SigningRequest
from gateway.values.errors import Unavailable
from gateway.values.hex import hex_text, to_bytes

_KEEPALIVE_SECONDS = 30.0  # shorter than signers keep a silent connection


class HttpSigner:
    """Thread-safe. Connections stay open until `close()`; who signs after that begins with new ones."""

    def __init__(self, timeout_seconds: float = 10.0) -> None:
        self._timeout_seconds = timeout_seconds
        self._opening = threading.Lock()
        self._open: httpx.Client | None = None

    def sign(self, address: SignerAddress, request: SigningRequest) -> Signed | SignerRefusal:
        """The signature, or the entries that the brand's books do not support. Raises Unavailable, NotReached or NumberTaken."""
        body = {
            "brand_id": request.brand_id,
            "number": request.number,
            "deadline": request.deadline,
            "entries": hex_text(request.entries),
            "details": list(request.details),
        }
        try:
            answer = self._client().post(
                f"{address.url.rstrip('/')}/sign-batch", json=body, headers={"Authorization": f"Bearer {address.token}"}
            )
            said = answer.json()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotReached(f"The signer at {address.url} is not there: {error or type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unavailable(f"The signer at {address.url} does not answer: {error or type(error).__name__}") from error
        try:
            return _answer(answer.status_code, said)
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable(f"The signer at {address.url} answered {answer.status_code}: {str(said)[:200]}") from error

    def ask(self, address: SignerAddress, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of any of its routes. Raises Unavailable or NotReached."""
        try:
            headers = {"Authorization": f"Bearer {address.token}"}
            answer = self._client().request(method, f"{address.url.rstrip('/')}{path}", json=body, headers=headers)
            return answer.status_code, answer.json()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotReached(str(error) or type(error).__name__) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unavailable(str(error) or type(error).__name__) from error

    def close(self) -> None:
        with self._opening:
            if self._open is not None:
                self._open.close()
                self._open = None

    def _client(self) -> httpx.Client:
        with self._opening:
            if self._open is None:
                limits = httpx.Limits(keepalive_expiry=_KEEPALIVE_SECONDS)
                self._open = httpx.Client(timeout=self._timeout_seconds, trust_env=False, limits=limits)
            return self._open


def _answer(status: int, said: Any) -> Signed | SignerRefusal:
    if status == 200:
        return Signed(to_bytes(said["signature"], 65))
    if status == 409 and said.get("error") == "number_used":
        raise NumberTaken(said["message"])
    if status == 409 and said["refused"]:
        return SignerRefusal({int(each["index"]): str(each["reason"]) for each in said["refused"]})
    raise ValueError("neither a signature nor refused entries")
