"""What a load process is told: who there is, where, and what to send. It travels as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Seller:
    """A brand as its tills see it. `register` is the file that its agent reads, for sales of which the agent is not told."""

    brand_id: int
    agent_port: int
    till_token: str
    api_key: str
    register: str
    secret: str  # of its references, hex


@dataclass(frozen=True)
class Task:
    """`what` names a load of `loads.py`. `connections`: so many calls at once, each after the last; without, `rate` a second.

    `window`: as many entries at most are sent and not yet on the ledger. Without `node_port` there is no ledger to follow.
    """

    what: str
    run: str  # part of every id: no other load of this state has it
    seconds: float
    connections: int | None
    rate: float | None
    window: int | None
    sellers: list[Seller]
    gateway_port: int
    node_port: int | None
    coalition: dict[str, Any]
    members_file: str
    redeemed: int  # pairs that there were before
    now: int  # on the chain
    options: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))


def read_task(path: Path) -> Task:
    values = json.loads(path.read_text())
    return Task(**{**values, "sellers": [Seller(**seller) for seller in values["sellers"]]})
