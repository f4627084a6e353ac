"""What the gateway does a second, with its node and every brand's agent as processes of their own, and load clients beside them, all on
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
from typing import Any

from rich.console import Console

from scripts.benchmarks.arguments import file_to_write, number_of_members
from scripts.benchmarks.figures import Clock, load, machine
from scripts.benchmarks.gateway import state
from scripts.benchmarks.gateway.brands import SHARES
from scripts.benchmarks.gateway.phases import NAMES, Measuring
from scripts.benchmarks.gateway.running import LoadFailed
from scripts.demo.client import Refused
from scripts.demo.data_directory import DirectoryInUse, open_directory
from scripts.demo.processes import ProcessDied, Supervisor

MEMBERS, PURCHASES, SECONDS, BRANDS = 200_000, 1_000_000, 60.0, len(SHARES)
QUICK = {"members": 2_000, "purchases": 5_000, "seconds": 10.0, "brands": 4}


def main(arguments: Sequence[str] | None = None) -> int:
    os.umask(0o077)
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    clock = Clock()

    def say(text: str) -> None:
        console.print(f"{clock.seconds:5.0f} s  {text}", highlight=False)

    size = state.Size(options.members, options.purchases, options.brands)
    try:
        with tempfile.TemporaryDirectory(dir=options.data, prefix="bench-gateway-") as temporary:
            folder = _prepared(options, size, Path(temporary), say)
            figures = _measure(folder, size, options, say)
    except (LoadFailed, ProcessDied, Refused, DirectoryInUse) as problem:
        console.print(f"[bold red]{problem}[/]", highlight=False, soft_wrap=True)
        return 1
    print(json.dumps(figures, indent=1))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench gateway", description=__doc__)
    parser.add_argument("--json", type=file_to_write, metavar="FILE", help="write the figures there as well")
    parser.add_argument("--quick", action="store_true", help="small and short: shows that it works, not how fast")
    parser.add_argument("--members", type=number_of_members, help=f"({MEMBERS:,})")
    parser.add_argument("--purchases", type=int, help=f"earlier ones, on the ledger before anything is measured ({PURCHASES:,})")
    parser.add_argument("--seconds", type=float, help=f"of each part of a phase ({SECONDS:.0f})")
    parser.add_argument("--brands", type=int, choices=range(1, BRANDS + 1), help=f"({BRANDS})")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="PHASE", help=f"repeatable; one of {', '.join(NAMES)}")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where it is kept meanwhile (default: a temporary directory)")
    parser.add_argument(
        "--keep", action="store_true", help="keep in --data what was built, and go on in a copy of it, now and the next time"
    )
    options = parser.parse_args(arguments)
    if options.keep and options.data is None:
        parser.error("--keep needs --data DIR")
    usual = QUICK if options.quick else {"members": MEMBERS, "purchases": PURCHASES, "seconds": SECONDS, "brands": BRANDS}
    for name, value in usual.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if options.data is not None:
        options.data.mkdir(parents=True, exist_ok=True)
    return options


def _prepared(options: argparse.Namespace, size: state.Size, temporary: Path, say: state.Say) -> Path:
    """A folder with the built state, to go on in."""
    if not options.keep:
        return temporary
    kept = options.data.resolve() / f"built-{size.members}-{size.purchases}-{size.brands}"
    if not (kept / state.BUILT).exists():
        with_directory(kept, size, say, lambda coalition: None)
    run = options.data.resolve() / "run"
    state.copy_of(kept, run)
    return run


def with_directory(folder: Path, size: state.Size, say: state.Say, then: Any) -> Any:
    directory = open_directory(folder, fresh=False)
    try:
        with Supervisor(directory.root) as supervisor:
            url = f"sqlite:///{directory.gateway / 'gateway.sqlite3'}"
            coalition = state.start(directory, supervisor, size, url, None, say)
            try:
                built = state.build(coalition, say)
                found = then(coalition)
            finally:
                coalition.world.close()
            return {"built": built, "found": found}
    finally:
        os.close(directory.lock)


def _measure(folder: Path, size: state.Size, options: argparse.Namespace, say: state.Say) -> dict[str, Any]:
    figures: dict[str, Any] = {"machine": machine()}

    def phases(coalition: state.Coalition) -> dict[str, Any]:
        measuring, found = Measuring(coalition, options.seconds), {}
        for name in options.only or NAMES:
            say(f"{name} …")
            found[name] = measuring.measure(name)
        return found

    done = with_directory(folder, size, say, phases)
    figures["machine"]["load_after"] = load()
    return figures | {"state": done["built"]} | done["found"]


if __name__ == "__main__":
    sys.exit(main())
