"""Help is printed by every group and command without the gateway itself: what is heavy is imported when a command is run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from gateway.cli import program

HEAVY = ("sqlalchemy", "fastapi", "pydantic", "web3", "eth_account", "eth_utils", "alembic", "rich", "uvicorn", "httpx")


def _paths(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _paths(inner, (*path, name))


def imported_by(*arguments: str) -> tuple[str, set[str]]:
    """What `splittally` said, and the heavy modules that its process had imported at its end."""
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('imported', *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr))\n"
        "from gateway.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    return done.stdout, set(done.stderr.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("path", sorted(_paths(program())), ids=" ".join)
def test_help_imports_nothing_heavy(path: tuple[str, ...]) -> None:
    said, heavy = imported_by(*path, "--help")
    assert f"Usage: {' '.join(('splittally', *path))}" in said
    assert heavy == set()


def test_what_is_heavy_is_seen_where_a_command_runs() -> None:
    assert "sqlalchemy" in imported_by("--data-dir", "/nonexistent", "status")[1]
