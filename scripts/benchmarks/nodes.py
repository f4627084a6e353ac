"""Our node beside anvil, Ganache, Hardhat and eth-tester: what each keeps, proves, remembers and answers, and how fast it is.

Every figure of a peer is taken over HTTP, the same way from each: raw transactions in, a block mined on demand.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.figures import Figures, load, machine
from scripts.benchmarks.node_behavior import answered_methods, keeps_what_it_acknowledged, past_and_proofs
from scripts.benchmarks.node_speed import speed
from scripts.benchmarks.peers import PACKAGES, Peer, peers

MEMBERS = 200_000
MINUTES = 5.0
TABLE_WIDTH = 120


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench nodes", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="figures, written after each peer; with --resume also read")
    parser.add_argument("--resume", action="store_true", help="keep what --json holds of an interrupted run")
    parser.add_argument("--only", action="append", metavar="NAME", help="this peer alone; repeatable")
    parser.add_argument("--members", type=int, default=MEMBERS, help=f"for the second measure of speed ({MEMBERS:,})")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"a peer has to reach them ({MINUTES:.0f})")
    parser.add_argument("--peers", type=Path, default=PACKAGES, metavar="DIR", help="the folder with the peers' node_modules")
    parser.add_argument("--anvil", type=Path, metavar="PATH", help="the anvil program")
    parser.add_argument("--data", type=Path, metavar="DIR", help="where chains are kept meanwhile (default: a temporary directory)")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    report: Figures = {"machine": machine(), "members": options.members, "minutes": options.minutes, "peers": {}}
    if options.resume and options.json and options.json.exists():
        report["peers"] = json.loads(options.json.read_text())["peers"]
    for peer in peers(options.peers.resolve(), options.anvil):
        if (options.only and peer.name not in options.only) or peer.name in report["peers"]:
            continue
        console.print(f"{peer.name} …", highlight=False)
        with tempfile.TemporaryDirectory(dir=options.data) as directory:
            report["peers"][peer.name] = measure(peer, Path(directory), options.members, 60 * options.minutes)
        report["machine"]["load_after"] = load()
        console.print_json(json.dumps(report["peers"][peer.name]))
        if options.json:
            options.json.write_text(json.dumps(report, indent=1) + "\n")
    Console(width=TABLE_WIDTH).print(shown(report))
    return 0


def measure(peer: Peer, directory: Path, members: int, seconds: float) -> Figures:
    if peer.missing:
        return {"left_out": peer.missing}
    with peer.start(directory / "behavior") as node:
        figures: Figures = {"version": node.rpc.call("web3_clientVersion"), "load": load()}
        figures["methods"] = answered_methods(peer, node)
        figures |= past_and_proofs(peer, node)
    figures["durability"] = keeps_what_it_acknowledged(peer, directory)
    with peer.start(directory / "speed") as node:
        figures |= speed(peer, node, members, seconds)
    return figures


def shown(report: Figures) -> Table:
    measured = {name: figures for name, figures in report["peers"].items() if "left_out" not in figures}
    table = Table(title=f"load {report['machine'].get('load_after', ['?'])[0]}")
    table.add_column("")
    for name in measured:
        table.add_column(name, justify="right")
    rows: dict[str, Callable[[Figures], str]] = {
        "receipts kept after kill -9": lambda each: "{kept} of {killed}".format(**each["durability"]),
        "proof at the head": lambda each: _yes(each["proof_at_head"]),
        "proof 1,000 blocks back": lambda each: _yes(each["proof_back"]),
        "call 1,000 blocks back": lambda each: _yes(each["call_back"]),
        "balance 1,000 blocks back": lambda each: _yes(each["balance_back"]),
        "methods of 49": lambda each: str(each["methods"]["answered"]),
        "entries/s, empty ledger": lambda each: _rate(each["empty"], "entries_per_s"),
        "single transactions/s, empty ledger": lambda each: _rate(each["empty"], "transactions_per_s"),
        f"entries/s, {report['members']:,} members": lambda each: _rate(each["full"], "entries_per_s"),
        f"single transactions/s, {report['members']:,} members": lambda each: _rate(each["full"], "transactions_per_s"),
    }
    for what, cell in rows.items():
        table.add_row(what, *(cell(figures) for figures in measured.values()))
    return table


def _yes(value: bool | str) -> str:
    return "yes" if value is True else "no"


def _rate(figures: Figures, key: str) -> str:
    return f"{figures[key]:,.0f}" if key in figures else f"{figures['members_reached']:,} in {figures['seconds'] / 60:.0f} min"


if __name__ == "__main__":
    sys.exit(main())
