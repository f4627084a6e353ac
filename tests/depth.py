"""How much of a long suite runs. `scripts/test`, `--deep` and `--soak` set SPLITTALLY_DEPTH; without it the depth is normal.

What takes minutes at any count is marked `deep` instead, alone or by its place, and left out of the normal run.
"""

from __future__ import annotations

import os
from enum import IntEnum
from typing import TypeVar

import pytest

Choice = TypeVar("Choice")
DEEP_PLACES = (  # left out of the normal run: what holds the node against disks, other nodes and outside clients
    "tests/benchmarks",
    "tests/conformance/chains",
    "tests/conformance/test_fast_verifier.py",
    "tests/conformance/test_independent_verifier.py",
    "tests/conformance/test_verifier_checkpoints.py",
    "tests/conformance/web3_suites",
    "tests/end_to_end/test_other_engines.py",
    "tests/node/backup",
    "tests/node/export",
    "tests/node/replica",
    "tests/node/test_full_disk.py",
    "tests/node/test_kill.py",
    "tests/node/test_no_room.py",
)


class Depth(IntEnum):
    NORMAL = 0
    DEEP = 1  # a seeded sample of the long suites, at every change
    SOAK = 2  # their full counts, before a release


def depth_named(name: str) -> Depth:
    if name not in (choices := [depth.name.lower() for depth in Depth]):
        raise ValueError(f"SPLITTALLY_DEPTH is {name!r}; set it to one of {', '.join(choices)}, or leave it out")
    return Depth[name.upper()]


DEPTH = depth_named(os.environ.get("SPLITTALLY_DEPTH", "normal"))


at_soak_alone = pytest.mark.skipif(DEPTH is not Depth.SOAK, reason="a run of minutes beside others that look at nearly the same: at soak")


def from_deep_on(full: Choice, sample: Choice) -> Choice:
    return full if DEPTH >= Depth.DEEP else sample


def in_a_soak(full: Choice, sample: Choice) -> Choice:
    return full if DEPTH is Depth.SOAK else sample
