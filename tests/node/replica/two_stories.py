"""A sealer that tells two stories: one chain to block 1, a replica that took over block 2, and a copy that has not sealed it yet."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.node.replica.processes import RunningReplica, replica_of
from tests.node.running_node import RunningNode
from tests.node.sealed_chain import NOBODY, OPERATOR


def begin_two_stories(place: Path) -> None:
    """In `place`: the data of "primary", of "replica" (stopped), and of "other story", to go on from block 1."""
    with RunningNode(place / "primary", ("--operator", OPERATOR.address)) as primary:
        primary.send(OPERATOR, to=NOBODY, value=1)
        primary.stop()
        shutil.copytree(place / "primary", place / "other story")
        with primary, RunningReplica(place / "replica", replica_of(primary.url)) as replica:
            primary.send(OPERATOR, to=NOBODY, value=2)
            replica.wait_for_block(2)
            replica.kill()
