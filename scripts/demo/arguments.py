"""What `scripts/run` is asked for. A value that cannot be is refused before anything is started."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.values.urls import without_secrets
from scripts.demo.coalition import BRANDS
from scripts.demo.sales import extent


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Ends the process with status 2 and one line that says what to do where something is wrong."""
    households, days = extent()
    names = ", ".join(brand.name for brand in BRANDS)
    parser = argparse.ArgumentParser(prog="scripts/run", description=f"Runs the demo coalition ({names}) on real sales, end to end.")
    parser.add_argument("--once", action="store_true", help="end after the summary instead of keeping the services up")
    parser.add_argument("--json", type=_new_file, metavar="FILE", help="write the summary there")
    parser.add_argument("--fresh", action="store_true", help="forget what the data directory holds and start anew")
    parser.add_argument("--data", type=Path, default=Path("var/demo"), metavar="DIR", help="data directory (default var/demo)")
    parser.add_argument(
        "--seed", type=_whole(0, 2**63 - 1), help="of the payments with points and the planted defects (default: from the commit)"
    )
    parser.add_argument("--port", type=_whole(1, 65_535), help="of the API and pages (default: a free one, the same every time)")
    parser.add_argument(
        "--database", type=_database, metavar="URL", help="an empty PostgreSQL database, postgresql://USER@HOST/NAME (default: SQLite)"
    )
    engine = parser.add_mutually_exclusive_group()
    engine.add_argument("--rpc-port", type=_whole(1, 65_535), help="of the node's JSON-RPC (default: a free one, the same every time)")
    engine.add_argument("--rpc", metavar="URL", help="a test engine that runs already, such as anvil, instead of a node of its own")
    parser.add_argument("--households", type=_whole(1, households), help=f"only so many households, 1 to {households}")
    parser.add_argument("--days", type=_whole(1, days), help=f"only so many days, 1 to {days}")
    parsed = parser.parse_args(arguments)
    if parsed.port is not None and parsed.port == parsed.rpc_port:
        parser.error(f"--port and --rpc-port are both {parsed.port}: choose two")
    return parsed


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text) if text.isascii() and text.removeprefix("-").isdecimal() and len(text) < 20 else least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} cannot be: give a whole number from {least} to {most}, or leave it out")
        return value

    return read


def _database(text: str) -> str:
    if not text.startswith(("postgresql://", "postgresql+psycopg://")):
        shown = without_secrets(text)
        raise argparse.ArgumentTypeError(f"{shown!r} cannot be: give postgresql://USER@HOST/NAME, or leave it out for SQLite")
    return text


def _new_file(text: str) -> Path:
    path = Path(text)
    there = path.exists()
    try:
        path.open("a").close()
        if not there:
            path.unlink()
    except OSError as problem:
        what = f"{text!r} is no place for a file ({problem.strerror}): name one in a directory that exists"
        raise argparse.ArgumentTypeError(what) from problem
    return path
