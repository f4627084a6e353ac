"""What the gateway does a second, with its node and every brand's agent as processes of their own, and the clients beside them, all on
this machine: purchases one at a time and in bulk, redemptions, reads. Counted by the ledger's events.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from gateway.secret_files import UnsafeFile
from scripts.benchmarks.arguments import file_to_write, folder_to_make, number_of_members, seconds_long, whole_number
from scripts.benchmarks.figures import Clock
from scripts.benchmarks.gateway.brands import SHARES
from scripts.benchmarks.gateway.measuring import PARTS, Plan, Run
from scripts.benchmarks.gateway.phases import NAMES
from scripts.benchmarks.gateway.report import shown
from scripts.benchmarks.gateway.running import LoadFailed
from scripts.benchmarks.gateway.state import Size
from scripts.demo.client import Refused
from scripts.demo.data_directory import DirectoryInUse
from scripts.demo.engine import UnfitEngine
from scripts.demo.processes import ProcessDied

MEMBERS, PURCHASES, SECONDS, BRANDS = 200_000, 1_000_000, 60.0, len(SHARES)
FULL = {"members": MEMBERS, "purchases": PURCHASES, "seconds": SECONDS, "brands": BRANDS}
QUICK = {"members": 2_000, "purchases": 5_000, "seconds": 5.0, "brands": 4}
TABLE_WIDTH = 130


def main(arguments: Sequence[str] | None = None) -> int:
    os.umask(0o077)  # keys and tokens
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console, clock = Console(stderr=True), Clock()

    def say(text: str) -> None:
        console.print(f"{clock.seconds:5.0f} s  {text}", highlight=False)

    plan = Plan(
        Size(options.members, options.purchases, options.brands),
        options.seconds,
        options.only or NAMES,
        options.part or (PARTS[:1] if options.only else PARTS),
        options.anvil,
    )
    try:
        with tempfile.TemporaryDirectory(dir=options.data, prefix="bench-gateway-") as temporary:
            run = Run(options.data.resolve() if options.keep else Path(temporary), plan, say)
            figures = run.figures()
    except (LoadFailed, ProcessDied, Refused, DirectoryInUse, UnfitEngine, UnsafeFile) as problem:
        console.print(f"[bold red]{problem}[/]", highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    Console(width=TABLE_WIDTH).print(*shown(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    for fault in run.faults:
        console.print(f"[bold red]{fault}[/]", highlight=False, soft_wrap=True)
    return 1 if run.faults else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench gateway", description=__doc__)
    parser.add_argument("--json", type=file_to_write, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--members", type=number_of_members, help=f"({MEMBERS:,})")
    parser.add_argument(
        "--purchases",
        type=whole_number(0),
        help=f"earlier ones, on the ledger before anything is measured ({PURCHASES:,}); no fewer than members",
    )
    parser.add_argument("--seconds", type=seconds_long, help=f"of each part of a phase ({SECONDS:.0f})")
    parser.add_argument("--brands", type=whole_number(1, BRANDS), help=f"({BRANDS})")
    parser.add_argument("--quick", action="store_true", help="small and short: shows that it works, not how fast")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="PHASE", help=f"repeatable: {', '.join(NAMES)}")
    parser.add_argument(
        "--part", action="append", choices=PARTS, metavar="PART", help=f"repeatable: {', '.join(PARTS)} (all; with --only: own)"
    )
    parser.add_argument("--anvil", type=Path, metavar="PATH", help="the anvil program (default: PATH, then the conformance clients)")
    parser.add_argument("--data", type=folder_to_make, metavar="DIR", help="where it is kept meanwhile (default: a temporary directory)")
    parser.add_argument(
        "--keep", action="store_true", help="keep in --data what was built: the next run of the same size goes on from there"
    )
    options = parser.parse_args(arguments)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.keep and options.data is None:
        parser.error("--keep needs --data DIR")
    if options.purchases < options.members:
        parser.error("--purchases: each member needs one, to have points")
    return options


if __name__ == "__main__":
    sys.exit(main())
