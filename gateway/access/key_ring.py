"""Who holds a token, without a look into the database for each request.

A key is looked up again once it was known for a second: revoked in another process it opens nothing a second later, and what `forget` names
at once. All that is asked at the same time is one query, so that strangers' guesses cost no more than one query after another.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

from gateway.access.api_key import ApiKey, Caller, matches, split_token
from gateway.values.errors import Unavailable

TRUSTED_SECONDS = 1.0
KEPT_KEYS = 10_000
KEY_ID_LENGTH = 128
ASKED_AT_ONCE = 500
ASKED_AT_MOST = 2_000


@dataclass(frozen=True, slots=True)
class _Kept:
    key: ApiKey
    until: float


class KeyRing:
    """Thread-safe. `look` finds keys by their ids; it is called in a thread of the ring's own."""

    def __init__(self, look: Callable[[Sequence[str]], Mapping[str, ApiKey]]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._asked: dict[str, Future[ApiKey | None]] = {}
        self._forgotten = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="API keys")

    def known(self, token: str) -> Caller | None:
        """The holder, of what is known already."""
        key_id, secret = split_token(token)
        kept = self._kept.get(key_id)
        return None if kept is None or kept.until < monotonic() else _caller(kept.key, secret)

    def asked(self, token: str) -> Future[ApiKey | None]:
        """The key that the token names, asked of the database; `holder` says whether the token opens it. Raises Unavailable."""
        key_id = split_token(token)[0][:KEY_ID_LENGTH]
        with self._lock:
            waiting = self._asked.get(key_id)
            if waiting is not None:
                return waiting
            if len(self._asked) >= ASKED_AT_MOST and key_id not in self._kept:
                raise Unavailable("too many unknown API keys are sent at present")
            waiting = self._asked[key_id] = Future()
            if len(self._asked) == 1:
                self._thread.submit(self._answer)
            return waiting

    @staticmethod
    def holder(key: ApiKey | None, token: str) -> Caller | None:
        """The holder of a token that opens this key."""
        return None if key is None else _caller(key, split_token(token)[1])

    def forget(self, key_id: str) -> None:
        """The key has changed: call it after the commit."""
        with self._lock:
            self._forgotten += 1
            self._kept.pop(key_id, None)

    def close(self) -> None:
        self._thread.shutdown(wait=True)

    def _answer(self) -> None:
        """Looks until nothing is asked any more. Keys in use come before what strangers guess."""
        while True:
            with self._lock:
                ids = sorted(self._asked, key=lambda key_id: key_id not in self._kept)[:ASKED_AT_ONCE]
                forgotten = self._forgotten
            if not ids:
                return
            try:
                found: Mapping[str, ApiKey] | Exception = self._look(ids)
            except Exception as error:
                found = error
            for key_id, future in self._answered(ids, found, forgotten):
                if isinstance(found, Exception):
                    future.set_exception(found)
                else:
                    future.set_result(found.get(key_id))

    def _answered(
        self, ids: Sequence[str], found: Mapping[str, ApiKey] | Exception, forgotten: int
    ) -> list[tuple[str, Future[ApiKey | None]]]:
        """Who waits for them. Nothing is kept of what may have changed since it was looked up."""
        until = monotonic() + TRUSTED_SECONDS
        with self._lock:
            if not isinstance(found, Exception):
                for key_id in ids:
                    self._keep(key_id, found.get(key_id) if forgotten == self._forgotten else None, until)
            return [(key_id, self._asked.pop(key_id)) for key_id in ids]

    def _keep(self, key_id: str, key: ApiKey | None, until: float) -> None:
        if key is None:
            self._kept.pop(key_id, None)
            return
        self._kept[key_id] = _Kept(key, until)
        self._kept.move_to_end(key_id)
        while len(self._kept) > KEPT_KEYS:
            self._kept.popitem(last=False)


def _caller(key: ApiKey, secret: str) -> Caller | None:
    return Caller(key.role, key.brand_id, key.key_id) if matches(key, secret) else None
