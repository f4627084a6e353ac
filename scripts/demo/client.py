"""A till's HTTP client: one idempotency key per intent, so that a request whose answer was lost is simply sent again.

Every acknowledgment is appended to a journal before the caller goes on: what stands there must be on the ledger in the end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

RETRY_SECONDS = 120.0
TRY_AGAIN_STATUS = {502, 503, 504}


class Refused(Exception):
    """The gateway said no; `status` and `problem` tell why."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code', '')}: {problem.get('detail') or problem}")
        self.status = status
        self.problem = problem


class Journal:
    """Append-only JSON lines on disk, flushed line by line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def append(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record, separators=(",", ":")) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class Client:
    """Calls one HTTP service as one principal. `check` is asked between tries whether waiting is still worth it."""

    def __init__(self, url: str, token: str, check: Callable[[], None], journal: Journal | None = None) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._check = check
        self._journal = journal

    def get(self, path: str, **query: str | int) -> Any:
        return self._send("GET", path, params=query).json()

    def text(self, path: str) -> str:
        return self._send("GET", path).text

    def ask(self, path: str, body: Any) -> Any:
        """A POST that changes nothing."""
        return self._send("POST", path, json=body).json()

    def post(self, path: str, body: Any, key: str, *, wait_seconds: int = 30, journal: bool = True) -> Any:
        """Sends a write under an idempotency key and waits for its operations. `journal` False = the answer is secret."""
        headers = {"Idempotency-Key": key, "Prefer": f"wait={wait_seconds}"}
        answer = self._send("POST", path, json=body, headers=headers).json()
        if self._journal and journal:
            self._journal.append({"path": path, "key": key, "answer": answer})
        return answer

    def upload(self, path: str, content: bytes, key: str, **query: str | int) -> Any:
        headers = {"Idempotency-Key": key, "Content-Type": "application/octet-stream"}
        return self._send("POST", path, params=query, content=content, headers=headers).json()

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        deadline = time.monotonic() + RETRY_SECONDS
        pause = 0.05
        while True:
            response = self._tried(method, path, options)
            if response is not None and response.status_code not in TRY_AGAIN_STATUS:
                break
            self._check()
            if time.monotonic() > deadline:
                raise Refused(503, {"code": "unreachable", "detail": f"{method} {path}: no answer in {RETRY_SECONDS:.0f} s"})
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
        if response.status_code >= 400:
            raise Refused(response.status_code, _problem(response))
        return response

    def _tried(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response | None:
        try:
            return self._http.request(method, path, **options)
        except httpx.TransportError:
            return None


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        parsed = response.json()
    except ValueError:
        return {"detail": response.text[:500]}
    return parsed if isinstance(parsed, dict) else {"detail": parsed}
