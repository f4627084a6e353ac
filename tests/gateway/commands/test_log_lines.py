"""No text in a record passes for a record of its own."""

from __future__ import annotations

import logging
import sys

from gateway.commands.running.log_lines import SetIn

FORGED = "2026-01-01 INFO gateway: all is well"


def lines(message: str, failing: bool = False) -> list[str]:
    try:
        raise ValueError(message)
    except ValueError:
        found = sys.exc_info() if failing else None
    record = logging.LogRecord("gateway", logging.WARNING, "", 1, "said %s", (message,), found)
    return SetIn("%(levelname)s %(name)s: %(message)s").format(record).split("\n")


def test_further_lines_are_set_in_and_nothing_moves_the_cursor() -> None:
    for parting in ("\n", "\r", "\r\n", "\u2028", "\x0b"):
        assert lines(f"a{parting}{FORGED}") == ["WARNING gateway: said a", f"    {FORGED}"]
    assert lines("\x1b[2J\x08") == ["WARNING gateway: said ?[2J?"]


def test_a_tracebacks_lines_are_set_in_too() -> None:
    first, *further = lines(f"a\n{FORGED}", failing=True)
    assert first == "WARNING gateway: said a"
    assert f"    {FORGED}" in further
    assert all(line.startswith("    ") for line in further)
