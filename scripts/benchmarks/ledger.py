"""How many entries a second the ledger takes, by batch size, for new and for existing members, against a plain chain.

Entries are issues. Transactions are signed beforehand; the clock runs from the first one handed over to the last one in a durable block.
Processor time stands beside wall time: on a busy machine only the former can be compared. The baseline runs before and after.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak
from rich.console import Console
from rich.table import Table

from gateway.domain.ledger.entries import Issue, encode_entry
from gateway.domain.ledger.lots import expiry_day_for, lot_id
from scripts.benchmarks.durable_ledger import BRAND, GAS_PER_TRANSACTION, DurableLedger, durable_ledger
from scripts.benchmarks.plain_chain import PlainChain

BATCH_SIZES = (1, 10, 100, 1_000)
GAS_PER_BATCH = 150_000
GAS_PER_ENTRY = {"new": 26_500, "existing": 9_300}
BASELINE_PER_BLOCK = 100
TABLE_WIDTH = 110


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench ledger", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--members", type=int, default=4_000, help="members with points before the measurement (default 4,000)")
    parser.add_argument("--entries", type=int, default=2_000, help="entries per figure; a tenth of it one by one (default 2,000)")
    parser.add_argument("--data", type=Path, help="where the chain is kept meanwhile (default: a temporary directory)")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(dir=options.data) as directory, durable_ledger(Path(directory) / "node") as ledger:
        report = measure(ledger, options.members, options.entries, console)
    Console(width=TABLE_WIDTH).print(shown(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def measure(ledger: DurableLedger, member_count: int, entry_count: int, console: Console) -> dict[str, Any]:
    day = expiry_day_for(int(time.time()), 0, 24)
    members = [keccak(f"member {index}".encode())[:20] for index in range(member_count)]
    lot = lot_id(BRAND, day)
    console.print(f"The baseline, {BASELINE_PER_BLOCK} transactions a block …")
    before = measure_baseline(members, lot, entry_count // 2)
    console.print(f"Issuing to {member_count:,} members first …")
    run(ledger, members, day, 1_000, "new")
    figures = []
    for kind in ("existing", "new"):
        for size in BATCH_SIZES:
            count = max(size, entry_count if size > 1 else entry_count // 10)
            console.print(f"{count:,} entries in batches of {size:,}, {kind} members …")
            chosen = [members[(7 * index) % member_count] for index in range(count)]
            if kind == "new":
                chosen = [keccak(f"new in batches of {size}: {index}".encode())[:20] for index in range(count)]
            figures.append({"batch": size, "members": kind, **run(ledger, chosen, day, size, kind)})
    console.print("The baseline again …")
    after = measure_baseline(members, lot, entry_count // 2)
    baseline = {
        "what": "stock py-evm in memory, plain ERC-1155, one transaction an entry",
        "transactions_per_block": BASELINE_PER_BLOCK,
        "entries": before["existing"]["entries"] + after["existing"]["entries"],
        **{kind: together(before[kind], after[kind]) for kind in ("existing", "new")},
        "runs": [before, after],
    }
    for figure in figures:
        plain = baseline[figure["members"]]
        figure["ratio"] = round(figure["entries_per_second"] / plain["entries_per_second"], 2)
        figure["cpu_ratio"] = round(figure["entries_per_cpu_second"] / plain["entries_per_cpu_second"], 2)
    machine = {"python": platform.python_version(), "processors": os.cpu_count(), "load": [round(each, 2) for each in os.getloadavg()]}
    return {"machine": machine, "members_before": member_count, "ledger": figures, "baseline": baseline}


def run(ledger: DurableLedger, members: Sequence[bytes], day: int, size: int, kind: str) -> dict[str, Any]:
    """Issues to `members` in batches of `size`, of which each is split so that no transaction exceeds the gas a chain allows."""
    most = (GAS_PER_TRANSACTION - GAS_PER_BATCH) // GAS_PER_ENTRY[kind]
    transactions = []
    for first in range(0, len(members), size):
        batch = members[first : first + size]
        for start in range(0, len(batch), most):
            part = batch[start : start + most]
            entries = [encode_entry(Issue(member, day, 25, 1, keccak(member))) for member in part]
            transactions.append(ledger.batch(entries, GAS_PER_BATCH + GAS_PER_ENTRY[kind] * len(part)))
    height, clock = ledger.height, Clock()
    ledger.send(transactions)
    return {"transactions": len(transactions), "blocks": ledger.height - height, **clock.rates(len(members))}


class Clock:
    """Wall and processor time of this process, the node's threads included."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def rates(self, entries: int) -> dict[str, Any]:
        return rates(entries, time.perf_counter() - self._wall, time.process_time() - self._processor)


def rates(entries: int, seconds: float, cpu_seconds: float) -> dict[str, Any]:
    return {
        "entries": entries,
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
        "entries_per_second": round(entries / seconds, 1),
        "entries_per_cpu_second": round(entries / cpu_seconds, 1),
    }


def together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return rates(*(one[key] + other[key] for key in ("entries", "seconds", "cpu_seconds")))


def measure_baseline(members: Sequence[bytes], lot: int, count: int) -> dict[str, Any]:
    """{"new": rates, "existing": rates} on a fresh plain chain."""
    chain = PlainChain()
    chosen = members[:count]  # each once: the first round finds every one of them new, the second existing
    measured = {}
    for kind in ("new", "existing"):
        blocks = chain.signed_blocks(chosen, lot, BASELINE_PER_BLOCK)
        clock = Clock()
        chain.mine(blocks)
        measured[kind] = clock.rates(len(chosen))
    return measured


def shown(report: dict[str, Any]) -> Table:
    baseline = report["baseline"]
    title = f"Issues a second on disk, {report['members_before']:,} members before, load {report['machine']['load'][0]}"
    table = Table(title=title, caption="plain: one transaction an entry, stock py-evm in memory, before and after")
    table.add_column("members", no_wrap=True)
    for heading in ("batch", "entries", "txs", "blocks", "per s", "× plain", "per CPU s", "× plain"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report["ledger"]:
        counts = [f"{row[key]:,}" for key in ("batch", "entries", "transactions", "blocks")]
        wall = (f"{row['entries_per_second']:,.0f}", f"{row['ratio']:.2f}")
        table.add_row(row["members"], *counts, *wall, f"{row['entries_per_cpu_second']:,.0f}", f"{row['cpu_ratio']:.2f}")
    for kind in ("existing", "new"):
        plain = baseline[kind]
        count = f"{plain['entries']:,}"
        per_second = (f"{plain['entries_per_second']:,.0f}", "1.00", f"{plain['entries_per_cpu_second']:,.0f}", "1.00")
        table.add_row(f"{kind}, plain", "1", count, count, "", *per_second)
    return table


if __name__ == "__main__":
    sys.exit(main())
