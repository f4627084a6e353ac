"""The bounds of the door, in one place: docs/operating.md tells them. What is a setting is in gateway/config.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_LIMIT = 256 * 1024
BULK_LIMIT = 8 * 1024 * 1024
FILE_LIMIT = 64 * 1024 * 1024
JSON_PARTS = 300_000  # lists, objects and commas of one body: what a parser makes of bytes takes far more memory than they do
HEAD_BYTES = 32 * 1024  # request line and headers; of chunked bodies also all that is not body
HEAD_SECONDS = 10.0  # from the connection's beginning, or its last answer and KEEP_ALIVE_SECONDS, to the end of the headers
KEEP_ALIVE_SECONDS = 5
READING_SECONDS = 30.0  # that a client may leave an answer unread
QUEUE_SECONDS = 20.0  # that a request waits for its turn
STOPPING_SECONDS = 5  # that requests may go on when the gateway is told to stop
WAIT_SECONDS = 60  # of `Prefer: wait=N`


@dataclass(frozen=True, slots=True)
class LaneBounds:
    """Requests of one size: how many work at once, how many may be in flight, their bodies' size and time."""

    slots: int
    places: int
    body_bytes: int
    body_seconds: float


ORDINARY = LaneBounds(32, 512, DEFAULT_LIMIT, 10.0)
BULK = LaneBounds(2, 16, BULK_LIMIT, 30.0)
FILES = LaneBounds(1, 8, FILE_LIMIT, 120.0)
SIZES = (ORDINARY, BULK, FILES)
REQUEST_THREADS = sum(bounds.slots for bounds in SIZES) + 5  # a request holds one at most; the rest is for what is no request


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What an operator sets. Hosts are names without ports; bodies above what fits into memory are kept in `spool` while they come."""

    hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    requests_per_second: int = 4_000
    backlog: int = 100_000
    spool: Path | None = None


def bounds_for(path: str) -> LaneBounds:
    """The bounds of what is sent to this path."""
    if path == "/v1/payment-files":
        return FILES
    return BULK if path.endswith("/bulk") or path == "/v1/opening-files" else ORDINARY
