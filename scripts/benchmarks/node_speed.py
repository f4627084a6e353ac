"""Entries in batches of 1,000 and single transactions a second, on an empty ledger and on one with all its members."""

from __future__ import annotations

import time

from scripts.benchmarks.figures import Figures
from scripts.benchmarks.issuing import member
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
    ledger = NodeLedger(peer, node)
    reached, seconds = _add_members(ledger, 0, BATCH, seconds_max)
    figures: Figures = {"empty": {"members": reached, **_rates(ledger, reached)}}
    added, more_seconds = _add_members(ledger, reached, members, seconds_max)
    state = {"members_reached": added, "seconds": round(seconds + more_seconds, 1)}
    figures["full"] = {**state, **(_rates(ledger, added) if added == members else {})}
    return figures


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


def _rates(ledger: NodeLedger, members: int) -> Figures:
    """Of batches, one a block, and of single transactions, 100 a block."""
    return {
        "entries_per_s": _rate(ledger, members, size=BATCH, per_block=BATCH, blocks=BATCHES),
        "transactions_per_s": _rate(ledger, members, size=1, per_block=PER_BLOCK, blocks=SINGLE_BLOCKS),
    }


def _rate(ledger: NodeLedger, members: int, *, size: int, per_block: int, blocks: int) -> float:
    """Entries a second to existing members, from sending a block's transactions to reading its last receipt."""
    seconds, entries = 0.0, 0
    for first in range(0, blocks * per_block, per_block):
        raw = ledger.issuer.issues([member(number % members) for number in range(first, first + per_block)], size, "existing")
        start = time.perf_counter()
        ledger.seal(raw)
        seconds += time.perf_counter() - start
        entries += per_block
        if seconds > SECONDS_MAX:
            break
    return round(entries / seconds, 1)
