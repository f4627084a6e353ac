"""The states of a brand, and what each lets it do: the ledger format's table of states and acts."""

from __future__ import annotations

from enum import IntEnum


class BrandState(IntEnum):
    ACTIVE = 1
    SUSPENDED = 2  # accepts, and does not issue
    RUNNING_OFF = 3  # as suspended, until a local day has ended
    CLOSED = 4  # what a run-off is from then on; the contract stores no such state
    IN_DEFAULT = 5


ACCEPTING = frozenset({BrandState.ACTIVE, BrandState.SUSPENDED, BrandState.RUNNING_OFF})
"""In which a brand authorizes and redeems, and its points are accepted by others."""
