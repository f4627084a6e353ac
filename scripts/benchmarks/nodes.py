"""Our node beside anvil, Ganache, Hardhat and eth-tester: what each keeps, proves, remembers and answers, and how fast it is.

Every figure of a peer is taken over HTTP, the same way from each: raw transactions in, a block mined on demand.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.arguments import file_to_write, folder, number_of_members
from scripts.benchmarks.figures import Figures, load, machine
from scripts.benchmarks.node_behavior import answered_methods, keeps_what_it_acknowledged, past_and_proofs
from scripts.benchmarks.node_speed import speed
from scripts.benchmarks.peers import PACKAGES, Peer, peers

MEMBERS = 200_000
MINUTES = 5.0
TABLE_WIDTH = 120


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench nodes", description=__doc__)
    parser.add_argument("--json", type=file_to_write, metavar="FILE", help="figures, written after each peer; with --resume also read")
    parser.add_argument("--resume", action="store_true", help="keep what --json holds of an interrupted run")
    parser.add_argument("--markdown", action="store_true", help="print the table as node/README.md has it")
    parser.add_argument("--only", action="append", metavar="NAME", help="this peer alone; repeatable")
    parser.add_argument("--members", type=number_of_members, default=MEMBERS, help=f"for the second measure of speed ({MEMBERS:,})")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"a peer has to reach them ({MINUTES:.0f})")
    parser.add_argument("--peers", type=Path, default=PACKAGES, metavar="DIR", help="the folder with the peers' node_modules")
    parser.add_argument("--anvil", type=Path, metavar="PATH", help="the anvil program")
    parser.add_argument("--data", type=folder, metavar="DIR", help="where chains are kept meanwhile (default: a temporary directory)")
    options = parser.parse_args(arguments)
    console = Console(stderr=True)
    report: Figures = {"machine": machine(), "members": options.members, "minutes": options.minutes, "peers": {}}
    if options.resume and options.json and options.json.exists():
        begun = json.loads(options.json.read_text())
        if (begun["members"], begun["minutes"]) != (options.members, options.minutes):
            parser.error(f"{options.json} holds a run with {begun['members']:,} members and {begun['minutes']:g} minutes")
        report["peers"] = begun["peers"]
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
    if options.markdown:
        print(in_markdown(report))
    else:
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


def rows(report: Figures) -> list[tuple[str, ...]]:
    """The table with its heading: what is compared, then a cell for each peer that was measured."""
    measured = {name: figures for name, figures in report["peers"].items() if "left_out" not in figures}
    members = f"{report['members']:,} members"
    cells: dict[str, Callable[[Figures], str]] = {
        "receipts there after kill -9": lambda each: "{kept} of {killed}".format(**each["durability"]),
        "proof at the head": lambda each: _yes(each["proof_at_head"]),
        "proof 1,000 blocks back": lambda each: _yes(each["proof_back"]),
        "call 1,000 blocks back": lambda each: _yes(each["call_back"]),
        "balance 1,000 blocks back": lambda each: _yes(each["balance_back"]),
        "methods answered of 49": lambda each: str(each["methods"]["answered"]),
        "0 members, entries/s": lambda each: _rate(each["empty"], "entries_per_s"),
        "0 members, single transactions/s": lambda each: _rate(each["empty"], "transactions_per_s"),
        f"{members}, entries/s": lambda each: _rate(each["full"], "entries_per_s"),
        f"{members}, single transactions/s": lambda each: _rate(each["full"], "transactions_per_s"),
    }
    heading = ("", *(f"{name} {_short(figures['version'])}" for name, figures in measured.items()))
    return [heading, *((what, *map(cell, measured.values())) for what, cell in cells.items())]


def shown(report: Figures) -> Table:
    heading, *cells = rows(report)
    table = Table(title=f"load {report['machine'].get('load_after', ['?'])[0]}")
    for column in heading:
        table.add_column(column, justify="right" if column else "left")
    for row in cells:
        table.add_row(*row)
    return table


def in_markdown(report: Figures) -> str:
    heading, *cells = rows(report)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ("---",) * len(heading), *cells))


def _short(version: str) -> str:
    """`anvil/v1.7.1` says 1.7.1."""
    found = re.search(r"\d+\.\d+\.\d+\w*", version)
    return found[0] if found else version


def _yes(value: bool | str) -> str:
    return "yes" if value is True else "no"


def _rate(figures: Figures, key: str) -> str:
    if key in figures:
        return f"{figures[key]:,.0f}"
    return f"not within {figures['seconds'] / 60:.0f} min ({figures['members_reached']:,} members)"


if __name__ == "__main__":
    sys.exit(main())
