"""A load in a process of its own: `python -m scripts.benchmarks.gateway.load TASK RESULT`. It says `ready`, begins at
a line of input, and says `done` before it reads the ledger.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from scripts.benchmarks.figures import spread
from scripts.benchmarks.gateway.connection import Connections
from scripts.benchmarks.gateway.driving import Driven, Driver
from scripts.benchmarks.gateway.loads import Loads
from scripts.benchmarks.gateway.task import Task, read_task
from scripts.benchmarks.gateway.watching import LedgerWatch

WRITES_NOTHING = ("read",)
OPEN_CONNECTIONS = 200  # to one server at most, of a load that does not wait


async def run(task: Task) -> dict[str, Any]:
    connections, others = Connections(task.connections or OPEN_CONNECTIONS), Connections(2)
    make = Loads(task).make()
    watch, watching = None, None
    if task.what not in WRITES_NOTHING and task.node_port is not None:
        watch = LedgerWatch(others, task.node_port, task.coalition["points_address"], time.perf_counter)
        await watch.start()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    if watch is not None:
        watching = asyncio.create_task(watch.run())
    driver, began, cpu_before = Driver(connections, watch, make), time.perf_counter(), time.process_time()
    try:
        if task.connections is not None:
            await driver.closed(task.connections, task.window, task.seconds)
        else:
            assert task.rate is not None
            await driver.open(task.rate, task.seconds)
    finally:
        if watching is not None:
            watching.cancel()
    cpu_seconds = time.process_time() - cpu_before
    print("done", flush=True)
    found = _figures(task, driver.driven, watch, began)
    found |= {"connections_opened": connections.opened, "client_cpu_s": round(cpu_seconds, 2)}
    if watch is not None:
        found |= await _confirmed(driver.driven, watch)
    connections.close()
    others.close()
    return found


def _figures(task: Task, driven: Driven, watch: LedgerWatch | None, began: float) -> dict[str, Any]:
    answered = sum(job.items for job in driven.jobs)
    found: dict[str, Any] = {
        "seconds": round(driven.seconds, 2),
        "answered": answered,
        "answered_per_s": round(answered / driven.seconds, 1),
        "answer_ms": spread(driven.answers),
        "statuses": {str(status): count for status, count in sorted(driven.statuses.items())},
        "first_problem": driven.first_problem,
        "sender_late_ms": round(1_000 * driven.late_seconds, 1),
    }
    if watch is None:
        return found
    last = max((batch.seen_at for batch in watch.batches), default=began)
    by_brand = Counter[int]()
    for batch in watch.batches:
        by_brand[batch.brand_id] += batch.entries - batch.refused
    return found | {
        "sent_entries": driven.sent_entries,
        "confirmed_entries": watch.confirmed,
        "refused_entries": sum(batch.refused for batch in watch.batches),
        "confirmed_per_s": round(watch.confirmed / max(last - began, driven.seconds), 1),
        "waiting_at_end": driven.waiting_at_end,
        "settled_after_s": round(driven.settled_seconds, 2),
        "batches": len(watch.batches),
        "blocks": len({batch.block for batch in watch.batches}),
        "confirmed_by_brand": dict(sorted(by_brand.items())),
    }


async def _confirmed(driven: Driven, watch: LedgerWatch) -> dict[str, Any]:
    """From a call to the ledger, entry by entry; what never came there is missing."""
    seen = await watch.entries()
    took, missing = [], 0
    for job in driven.jobs:
        for reference in job.references:
            if reference in seen:
                took.append(seen[reference] - job.began)
            else:
                missing += 1
    return {"confirm_ms": spread(took), "missing": missing}


def main() -> None:
    task_file, result_file = map(Path, sys.argv[1:])
    task = read_task(task_file)
    gc.disable()  # a load lives for minutes and keeps what it made
    result_file.write_text(json.dumps(asyncio.run(run(task))))


if __name__ == "__main__":
    main()
