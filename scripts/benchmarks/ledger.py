"""What the ledger does a second at 200,000 members, on disk with fsync, one ERC-1155 log an entry, in one run: batched and single,
beside stock py-evm, anvil and revm on the same transactions and state, and beside a plain contract with a transaction an entry.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from node.config import DataDirectory
from scripts.benchmarks import over_http
from scripts.benchmarks.anvil import Anvil, anvil, find_anvil
from scripts.benchmarks.arguments import file_to_write, folder, number_of_members
from scripts.benchmarks.durable_ledger import durable_ledger
from scripts.benchmarks.figures import Clock, Figures, load, machine
from scripts.benchmarks.gas_by_act import gas_by_act
from scripts.benchmarks.issuing import member
from scripts.benchmarks.ledger_phases import BATCH, QUICK, Phases, Say, Scale
from scripts.benchmarks.ledger_profile import profile_blocks
from scripts.benchmarks.ledger_report import report, shown
from scripts.benchmarks.plain_chain import PlainChain
from scripts.benchmarks.rivals import Rivals

if TYPE_CHECKING:
    from scripts.benchmarks.revm import Revm

MEMBERS = 200_000
PROFILED_BATCHES = 20
TABLE_WIDTH = 110


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench ledger", description=__doc__)
    parser.add_argument("--json", type=file_to_write, metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--members", type=number_of_members, default=MEMBERS, help=f"members with points before anything is measured ({MEMBERS:,})"
    )
    parser.add_argument("--quick", action="store_true", help="one round of everything and little of it: shows that it works, not how fast")
    parser.add_argument("--anvil", type=Path, metavar="PATH", help="the anvil program (default: PATH, then the conformance clients)")
    parser.add_argument("--data", type=folder, metavar="DIR", help="where the chain is kept meanwhile (default: a temporary directory)")
    parser.add_argument("--profile", action="store_true", help="only build the state, then print where the time of a batch goes")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    clock = Clock()

    def say(text: str) -> None:
        console.print(f"{clock.seconds:5.0f} s  {text}", highlight=False)

    with tempfile.TemporaryDirectory(dir=options.data) as directory:
        if options.profile:
            _profile(Path(directory), options.members, say)
            return 0
        figures = measure(Path(directory), options.members, QUICK if options.quick else Scale(), options.anvil, say)
    Console(width=TABLE_WIDTH).print(*shown(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def measure(directory: Path, members: int, scale: Scale, anvil_program: Path | None, say: Say) -> Figures:
    taken: Figures = {"machine": machine(), "members": members, "left_out": {}}
    with ExitStack() as stack:
        ledger = stack.enter_context(durable_ledger(directory / "node"))
        rivals = Rivals(ledger, stack.enter_context(_anvil(anvil_program, directory, taken["left_out"])), _revm(taken["left_out"]))
        phases = Phases(ledger, rivals, members, scale, say)
        taken["batched_new"] = phases.build()
        say("the same transactions on anvil and revm …")
        rivals.catch_up()
        say(f"sustained load for {scale.sustained_seconds:.0f} s …")
        taken["sustained"], taken["commit_ms"] = phases.sustained()
        say(f"{taken['sustained']['entries_per_s']:,.0f} entries/s; a plain chain with {members:,} members' points …")
        plain = PlainChain([member(number) for number in range(members)], ledger.issuer.lot)
        say("in turns with the others …")
        taken["rounds"] = phases.rounds(plain)
        del plain
        taken["burst"] = phases.burst()
        taken["smaller_batches"] = phases.smaller_batches()
        taken["singles_at_once"] = phases.singles_at_once()
        say("one at a time, proofs, and the same over HTTP …")
        taken["one_at_a_time_ms"] = phases.one_at_a_time()
        taken["proof_ms"] = phases.proofs()
        taken["same_on_anvil"] = rivals.same_on_anvil(phases.slots(100))
        say("redemptions by key, by passkey, under grants …")
        taken["redemptions"] = phases.redemptions()  # last on this chain: anvil's rules lack the passkeys' precompile
        signed_for_http = (
            phases.sign_next(scale.http_batches * BATCH, BATCH),
            phases.sign_next(scale.one_at_a_time // 2, 1),
            phases.proof_requests(scale.proofs),
        )
    taken["over_http"] = over_http.measure(directory / "node", *signed_for_http, BATCH)
    say("gas by act …")
    taken["gas"] = gas_by_act()
    taken["machine"]["load_after"] = load()
    return report(taken)


@contextmanager
def _anvil(program: Path | None, directory: Path, left_out: dict[str, str]) -> Iterator[Anvil | None]:
    found = find_anvil(program)
    if found is None:
        left_out["anvil"] = "not installed: npm package @foundry-rs/anvil, or --anvil PATH"
        yield None
        return
    with anvil(found, directory) as running:
        yield running


def _revm(left_out: dict[str, str]) -> Revm | None:
    try:
        from scripts.benchmarks.revm import Revm
    except ImportError:
        left_out["pyrevm"] = "not installed: Python package pyrevm"
        return None
    return Revm()


def _profile(directory: Path, members: int, say: Say) -> None:
    with durable_ledger(directory / "node") as ledger:
        phases = Phases(ledger, Rivals(ledger), members, QUICK, say)
        phases.build()
        phases.sustained()
        profile_blocks(ledger.history, DataDirectory(directory / "node").sealer_key(), phases.sign_next(PROFILED_BATCHES * BATCH, BATCH))


if __name__ == "__main__":
    sys.exit(main())
