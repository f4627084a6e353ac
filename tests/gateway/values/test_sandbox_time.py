"""A sandbox's moment is a number like any other, which knows the coalition's day."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass

from gateway.values.calendar import SandboxTime

MOMENT = SandboxTime(1_489_536_000, 3_600)


@dataclass(frozen=True)
class Holder:
    now: int


def test_copies_are_sandbox_moments_of_the_same_coalition() -> None:
    for copied in (copy.copy(MOMENT), copy.deepcopy(MOMENT), pickle.loads(pickle.dumps(MOMENT)), asdict(Holder(MOMENT))["now"]):
        assert (type(copied), copied, copied.day) == (SandboxTime, MOMENT, MOMENT.day)


def test_it_counts_and_is_written_as_a_number() -> None:
    assert (MOMENT + 1, json.dumps({"at": MOMENT})) == (1_489_536_001, '{"at": 1489536000}')
