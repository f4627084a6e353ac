"""Who may speak to the agent: a token for each till, of which the file keeps the hash alone, with what it may do. Revoked is for ever."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.values.calendar import moment

TILL_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Scope(StrEnum):
    SALES = "sales"
    PAYMENT_REFUNDS = "payment_refunds"
    REDEMPTIONS = "redemptions"
    STATUS = "status"
    REFUSED = "refused"
    EVIDENCE = "evidence"
    STORE = "store"


OF_A_TILL = frozenset(Scope) - {Scope.EVIDENCE, Scope.STORE}
"""What a till may do that is not told otherwise: evidence is another brand's agent's to bring, and a store's agent speaks for its tills."""
OF_A_STORE = OF_A_TILL - {Scope.STATUS, Scope.REFUSED} | {Scope.STORE}
"""What the brand's other tills said, and what became of that, is not a store's to look after."""


class WrongTill(Exception):
    """A till cannot be added or revoked as asked, or the file of tills is damaged."""


@dataclass(frozen=True, slots=True)
class Till:
    name: str
    scopes: frozenset[str]


class Tills:
    """The file as it stands: what a command changed counts from the next request on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_at: tuple[int, int, int] | None = None
        self._by_hash: Mapping[str, Till] = {}

    def holder(self, token: str) -> Till | None:
        """Whose token this is, unless it was revoked. Raises WrongTill."""
        with self._lock:
            try:
                stat = self._path.stat()
                stamp = stat.st_mtime_ns, stat.st_ino, stat.st_size
                if stamp != self._read_at:
                    self._by_hash = _live(_read(self._path))
                    self._read_at = stamp
            except FileNotFoundError:
                return None
            return self._by_hash.get(_hash(token))


def add_till(path: Path, name: str, scopes: frozenset[str]) -> str:
    """The new till's token, which is nowhere kept."""
    if not TILL_NAME.fullmatch(name):
        raise WrongTill("a till's name has 1 to 64 letters, digits, dots, dashes and underscores")
    token = f"till_{secrets.token_urlsafe(32)}"
    with _changing(path) as tills:
        if name in tills:
            raise WrongTill(f"there is a till {name}, or was one: take another name")
        tills[name] = {"hash": _hash(token), "scopes": sorted(scopes), "revoked_at": None}
    return token


def revoke_till(path: Path, name: str, now: int) -> None:
    """Its token is refused from the next request on; what the till said before stands."""
    with _changing(path) as tills:
        if name not in tills:
            raise WrongTill(f"there is no till {name}: there are {', '.join(sorted(tills)) or 'none'}")
        if tills[name]["revoked_at"] is None:
            tills[name]["revoked_at"] = moment(now)


@contextmanager
def _changing(path: Path) -> Iterator[dict[str, dict[str, Any]]]:
    """The tills by name; written whole, and on disk, at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tills = _read(path) if path.exists() else {}
        yield tills
        written = path.with_name(path.name + ".new")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            json.dump({"tills": tills}, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        written.replace(path)
    finally:
        os.close(lock)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tills: dict[str, dict[str, Any]] = json.loads(path.read_text())["tills"]
        _live(tills)
    except (KeyError, TypeError, ValueError, AttributeError) as wrong:
        raise WrongTill(f"{path} is damaged ({type(wrong).__name__}): put it back from a backup") from wrong
    return tills


def _live(tills: Mapping[str, Mapping[str, Any]]) -> dict[str, Till]:
    return {str(one["hash"]): Till(name, frozenset(one["scopes"])) for name, one in tills.items() if one["revoked_at"] is None}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
