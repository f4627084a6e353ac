"""Plays those whom a newcomer to a served test coalition waits for: `python -m scripts.demo.admit BRAND [--data DIR]`.

The approvers look at the registration, an hour of simulated time passes, two approve; then the owner of the standing partner takes
the newcomer's points. In a live coalition these are people with clocks and keys of their own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gateway.secret_files import UnsafeFile, read_secret
from scripts.demo.chain_clock import ChainClock
from scripts.demo.client import Client, Refused
from scripts.demo.coalition import BY_SLUG
from scripts.demo.data_directory import DataDirectory
from scripts.demo.engine import HOST
from scripts.demo.second_people import SecondPeople

STANDING_PARTNER = "grocer"
MOST_POINTS = 100_000
_NO_LOCK = -1  # the run that serves has the directory


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.demo.admit", description=__doc__)
    parser.add_argument("brand", type=int, help="the newcomer's brand id")
    parser.add_argument("--data", type=Path, default=Path("var/demo"), metavar="DIR", help="data directory of the run (default var/demo)")
    given = parser.parse_args(arguments)
    directory = DataDirectory(given.data.resolve(), _NO_LOCK)
    try:
        ports = directory.read("ports.json")
        if ports is None:
            raise UnsafeFile(f"{given.data} is no run's directory: start `scripts/run`, or name its --data")
        return _admit(directory, ports, given.brand)
    except (UnsafeFile, Refused) as problem:
        print(problem, file=sys.stderr)
        return 1


def _admit(directory: DataDirectory, ports: dict[str, int], brand_id: int) -> int:
    gateway_url, rpc_url = (f"http://{HOST}:{ports[name]}" for name in ("gateway", "node"))
    operator, clock = Client(gateway_url, read_secret(directory.gateway / "operator-api.key"), lambda: None), ChainClock(rpc_url)
    people = SecondPeople(directory, gateway_url, rpc_url, operator, clock)
    try:
        newcomer = operator.get(f"/v1/brands/{brand_id}")
        people.carry_out([newcomer["operation_id"]])
        print(f"{newcomer['name']} is on the ledger: two approvers signed, an hour of simulated time after it was proposed")
        partner = BY_SLUG[STANDING_PARTNER]
        people.take_points_of(newcomer["brand_id"], partner.brand_id, f"owner-{partner.slug}", MOST_POINTS)
        print(f"{partner.name} takes up to {MOST_POINTS:,} of its points: its owner signed")
    finally:
        operator.close()
        clock.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
