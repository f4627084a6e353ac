"""How many entries a second the ledger takes, by batch size, for new and for existing members, against a plain chain.

Entries are issues. Transactions are signed beforehand; the clock runs from the first one handed over to the last one in a durable block.
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
    Console().print(shown(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def measure(ledger: DurableLedger, member_count: int, entry_count: int, console: Console) -> dict[str, Any]:
    day = expiry_day_for(int(time.time()), 0, 24)
    members = [keccak(f"member {index}".encode())[:20] for index in range(member_count)]
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
    console.print(f"The baseline, {BASELINE_PER_BLOCK} transactions a block …")
    baseline = measure_baseline(members, lot_id(BRAND, day), entry_count // 2)
    for figure in figures:
        figure["ratio"] = round(figure["entries_per_second"] / baseline[f"{figure['members']}_entries_per_second"], 2)
    machine = {"python": platform.python_version(), "processors": os.cpu_count(), "machine": platform.machine()}
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
    height, started = ledger.height, time.perf_counter()
    ledger.send(transactions)
    seconds = time.perf_counter() - started
    return {
        "entries": len(members),
        "transactions": len(transactions),
        "blocks": ledger.height - height,
        "seconds": round(seconds, 3),
        "entries_per_second": round(len(members) / seconds, 1),
    }


def measure_baseline(members: Sequence[bytes], lot: int, count: int) -> dict[str, Any]:
    chain = PlainChain()
    chosen = [members[index % len(members)] for index in range(count)]
    new = chain.issue_seconds(chosen, lot, BASELINE_PER_BLOCK)
    existing = chain.issue_seconds(chosen, lot, BASELINE_PER_BLOCK)
    return {
        "what": "stock py-evm in memory, plain ERC-1155, one transaction an entry",
        "entries": count,
        "transactions_per_block": BASELINE_PER_BLOCK,
        "new_entries_per_second": round(count / new, 1),
        "existing_entries_per_second": round(count / existing, 1),
    }


def shown(report: dict[str, Any]) -> Table:
    baseline = report["baseline"]
    table = Table(
        title=f"Entries a second on disk, {report['members_before']:,} members before; plain = one transaction an entry, in memory"
    )
    table.add_column("members")
    for heading in ("batch of", "entries", "txs", "blocks", "entries/s", "× baseline"):
        table.add_column(heading, justify="right")
    for row in report["ledger"]:
        counts = [f"{row[key]:,}" for key in ("batch", "entries", "transactions", "blocks")]
        table.add_row(row["members"], *counts, f"{row['entries_per_second']:,.0f}", f"{row['ratio']:.2f}")
    for kind in ("existing", "new"):
        rate = baseline[f"{kind}_entries_per_second"]
        count = f"{baseline['entries']:,}"
        blocks = f"{-(-baseline['entries'] // BASELINE_PER_BLOCK):,}"
        table.add_row(f"{kind}, plain", "1", count, count, blocks, f"{rate:,.0f}", "1.00")
    return table


if __name__ == "__main__":
    sys.exit(main())
