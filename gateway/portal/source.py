"""What the pages need of the running gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gateway.store.session import Database


class PortalSource(Protocol):
    """Where pages read from, and the clock that links expire by."""

    @property
    def database(self) -> Database: ...

    @property
    def clock(self) -> Callable[[], int]: ...
