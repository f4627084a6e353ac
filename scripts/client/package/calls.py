"""How a gateway is called: with its key, within bounds, and again where that is safe.

Every call may be sent again: reads change nothing, and a write's idempotency key stands for one content for ever. So a call that got no
answer, or was told to come again (408, 429, 502, 503, 504), is repeated with the same key until `patience_seconds` are over.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from .troubles import GatewayTrouble, NotReached, Refused, WrongAnswer

MEGABYTE = 2**20
_AGAIN = frozenset({408, 429, 502, 503, 504})
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0
_DEEPEST = 100
_STRINGS, _MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"'), re.compile(rb"[\[\]{}]")
_HEADERS = {"Accept": "application/json, application/problem+json", "User-Agent": "splittally-client"}


class Calls:
    """Connections to one gateway; close it, or use it with `with`. A `client` of your own brings proxies, certificates or a transport."""

    remedies: Mapping[str, str] = {}  # by code

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_seconds: float = 15,
        patience_seconds: float = 30,
        answer_bytes_max: int = 32 * MEGABYTE,
        client: httpx.Client | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"a gateway's URL is like https://gateway.example, not {url[:200]!r}")
        self._url = url.rstrip("/")
        self._headers = _HEADERS if api_key is None else {**_HEADERS, "Authorization": f"Bearer {_word(api_key.strip(), 'API key', 512)}"}
        self._timeout_seconds = timeout_seconds
        self._patience_seconds = patience_seconds
        self._answer_bytes_max = answer_bytes_max
        self._client = httpx.Client() if client is None else client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        media_type: str = "application/json",
        idempotency_key: str | None = None,
        wait: int = 0,
        answered: Collection[int] = (),
    ) -> Any:
        """The answer's JSON, of a status below 300 or one of `answered`; raises GatewayTrouble."""
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = media_type
        if idempotency_key is not None:
            headers["Idempotency-Key"] = _word(idempotency_key, "idempotency key", 128)
        if wait:
            headers["Prefer"] = f"wait={int(wait)}"
        request = self._client.build_request(
            method,
            self._url + path,
            params={name: _text(value) for name, value in (query or {}).items() if value is not None} or None,
            content=_bytes(body),
            headers=headers,
            timeout=self._timeout_seconds + wait,
        )
        until = time.monotonic() + self._patience_seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._asked(request, answered, self._timeout_seconds + wait)
            except GatewayTrouble as trouble:
                seconds = _pause_after(trouble, pause)
                if seconds is None or time.monotonic() + seconds > until:
                    raise
            time.sleep(seconds)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def every(self, call: Callable[..., Any], name: str, *path: Any, **query: Any) -> Iterator[Any]:
        """What `call` lists under `name`, page after page."""
        cursor: str | None = None
        while True:
            found = call(*path, **query, cursor=cursor)
            yield from found[name]
            if found["next_cursor"] in (None, cursor):
                return
            cursor = found["next_cursor"]

    def _asked(self, request: httpx.Request, answered: Collection[int], seconds: float) -> Any:
        until = time.monotonic() + seconds
        try:
            answer = self._client.send(request, stream=True)
            try:
                content = self._content(answer, until)
            finally:
                answer.close()
        except httpx.TransportError as error:
            raise NotReached(f"{request.method} {request.url}: {type(error).__name__}: {error}") from error
        except httpx.DecodingError as error:
            raise WrongAnswer(f"{request.method} {request.url}: the answer's encoding is damaged: {error}", answer.status_code) from error
        if answer.is_success or answer.status_code in answered:
            return _parsed(answer, content, "application/json")
        found = _parsed(answer, content, "application/problem+json")
        if not isinstance(found, dict):
            raise WrongAnswer("the problem is no object", answer.status_code)
        raise Refused(answer.status_code, found, self.remedies.get(str(found.get("code")), ""), _retry_after_seconds(answer))

    def _content(self, answer: httpx.Response, until: float) -> bytes:
        """The answer within its bounds of size and time."""
        parts, size = [], 0
        for piece in answer.iter_bytes():
            size += len(piece)
            if size > self._answer_bytes_max:
                raise WrongAnswer(f"the answer is larger than {self._answer_bytes_max} bytes", answer.status_code)
            if time.monotonic() > until:
                raise NotReached("the answer did not come to its end in time")
            parts.append(piece)
        return b"".join(parts)


def part(value: object) -> str:
    """A value as one part of a path."""
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} cannot be a part of a path")
    return quote(text, safe="")


def _pause_after(trouble: GatewayTrouble, pause: float) -> float | None:
    """How long to wait before the call is sent again; none where that would not help."""
    if isinstance(trouble, Refused) and trouble.status in _AGAIN and trouble.retry_after_seconds is not None:
        return trouble.retry_after_seconds + random.uniform(0, _FIRST_PAUSE_SECONDS)  # noqa: S311 - spreads those who wait, hides nothing
    if isinstance(trouble, NotReached) or (isinstance(trouble, Refused | WrongAnswer) and trouble.status in _AGAIN):
        return random.uniform(pause / 2, pause)  # noqa: S311
    return None


def _parsed(answer: httpx.Response, content: bytes, media_type: str) -> Any:
    stated = answer.headers.get("content-type", "nothing").partition(";")[0].strip().lower()
    if stated != media_type:
        raise WrongAnswer(f"{answer.status_code} with {stated[:80]}, where {media_type} was due: is this a gateway?", answer.status_code)
    try:
        if _is_nested_too_deeply(content):
            raise ValueError("it is nested too deeply")
        return json.loads(content)
    except ValueError as error:
        raise WrongAnswer(f"{answer.status_code} with what is no JSON: {error}", answer.status_code) from error


def _is_nested_too_deeply(content: bytes) -> bool:
    """Looked at first: a program may have raised Python's own bound on recursion so far that the parser would end it."""
    steps = (1 if mark in b"[{" else -1 for mark in b"".join(_MARKS.findall(_STRINGS.sub(b"", content))))
    return max(itertools.accumulate(steps), default=0) > _DEEPEST


def _retry_after_seconds(answer: httpx.Response) -> int | None:
    said = answer.headers.get("retry-after", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 6 else None


def _bytes(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _text(value: object) -> str | list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _word(text: str, what: str, most: int) -> str:
    if not (text.isascii() and text.isprintable() and 0 < len(text) <= most):
        raise ValueError(f"an {what} is 1 to {most} printable ASCII characters")
    return text
