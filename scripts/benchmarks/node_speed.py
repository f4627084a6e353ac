"""Entries in batches of 1,000 and single transactions a second, on an empty ledger and on one with all its members."""

from __future__ import annotations

import time

from scripts.benchmarks.figures import Figures
from scripts.benchmarks.issuing import Members, member
from scripts.benchmarks.json_rpc import RpcProcess
from scripts.benchmarks.node_ledger import NodeLedger
from scripts.benchmarks.peers import Peer

BATCH = 1_000
BATCHES = 10
PER_BLOCK = 100
SINGLE_BLOCKS = 5
SECONDS_MAX = 40.0  # of each figure
SIGNED_AHEAD = 5_000
TOGETHER = 4  # transactions a block while members are added


def speed(peer: Peer, node: RpcProcess, members: int, seconds_max: float) -> Figures:
    """`empty`: issues to new members on a ledger that has none yet; `full`: to existing members, when it has all."""
    ledger = NodeLedger(peer, node)
    first, empty = _rates(ledger, 0, "new")
    added, seconds = _add_members(ledger, first, members, seconds_max)
    state = {"members_reached": added, "seconds": round(seconds, 1)}
    return {"empty": empty, "full": {**state, **(_rates(ledger, added, "existing")[1] if added >= members else {})}}


def _add_members(ledger: NodeLedger, first: int, members: int, seconds_max: float) -> tuple[int, float]:
    """How many there are when all are or time is up, and how long the node took. Signing is not counted."""
    seconds = 0.0
    while first < members and seconds < seconds_max:
        last = min(members, first + SIGNED_AHEAD)
        raw = ledger.issuer.issues([member(number) for number in range(first, last)], BATCH, "new")
        start = time.perf_counter()
        for position in range(0, len(raw), TOGETHER):
            ledger.seal(raw[position : position + TOGETHER])
        seconds += time.perf_counter() - start
        first = last
    return first, seconds


def _rates(ledger: NodeLedger, members: int, kind: Members) -> tuple[int, Figures]:
    """Of batches, one a block, and of single transactions, 100 a block; and how many members there are then."""
    batches, done = _rate(ledger, members, kind, size=BATCH, per_block=BATCH, blocks=BATCHES)
    members += done if kind == "new" else 0
    singles, done = _rate(ledger, members, kind, size=1, per_block=PER_BLOCK, blocks=SINGLE_BLOCKS)
    members += done if kind == "new" else 0
    return members, {"entries_per_s": batches, "transactions_per_s": singles}


def _rate(ledger: NodeLedger, members: int, kind: Members, *, size: int, per_block: int, blocks: int) -> tuple[float, int]:
    """Entries a second, from sending a block's transactions to reading its last receipt; and how many entries that were."""
    seconds, entries = 0.0, 0
    for block in range(blocks):
        numbers = range(block * per_block, (block + 1) * per_block)
        issued = [member(members + number if kind == "new" else number % members) for number in numbers]
        raw = ledger.issuer.issues(issued, size, kind)
        start = time.perf_counter()
        ledger.seal(raw)
        seconds += time.perf_counter() - start
        entries += per_block
        if seconds > SECONDS_MAX:
            break
    return round(entries / seconds, 1), entries
