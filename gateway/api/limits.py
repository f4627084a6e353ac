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
SMALL_BULK = LaneBounds(8, 128, 64 * 1024, 10.0)  # that say so themselves: agents' parcels, which wait for no large ones
BULK = LaneBounds(2, 16, BULK_LIMIT, 30.0)
FILES = LaneBounds(1, 8, FILE_LIMIT, 120.0)
SIZES = (ORDINARY, SMALL_BULK, BULK, FILES)
REQUEST_THREADS = sum(bounds.slots for bounds in SIZES) + 5  # a request holds one at most; the rest is for what is no request


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """What an operator sets. Hosts are names without ports; bodies above what fits into memory are kept in `spool` while they come."""

    hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    requests_per_second: int = 4_000
    backlog: int = 100_000
    spool: Path | None = None


def bounds_for(path: str, declared_bytes: int | None) -> LaneBounds:
    """The bounds of what is sent to this path. `declared_bytes`: of its body, where the request says it."""
    if path == "/v1/payment-files":
        return FILES
    if not path.endswith("/bulk") and path != "/v1/opening-files":
        return ORDINARY
    return SMALL_BULK if declared_bytes is not None and declared_bytes <= SMALL_BULK.body_bytes else BULK
