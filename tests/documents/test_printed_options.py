"""Every option that a document gives to one of our programs, within a sentence or in a block marked `text`, is one that the program has."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

import pytest

from tests.documents.printed import ROOT, blocks, documents, inline_commands, looks_like_a_command

MODULES = {"scripts/run": "scripts.demo", "scripts/splittally": "gateway", "splittally": "gateway"}
OPTION = re.compile(r"--[a-z][a-z-]*")
WORD = re.compile(r"[a-z][a-z-]*$")


def _printed() -> list[str]:
    shown = [line for document in documents() for block in blocks(document) if block.language == "text" for line in block.lines]
    within = [span for document in documents() for span in inline_commands(document)]
    return sorted({" ".join(line.split()) for line in [*filter(looks_like_a_command, shown), *within]})


@pytest.mark.parametrize("printed", _printed())
def test_the_program_has_every_option_that_is_printed(printed: str) -> None:
    assert unknown_options(printed) == set()


def test_an_option_that_no_program_has_is_seen() -> None:
    assert unknown_options("python -m node run --data DIR --follows URL") == {"--follows"}
    assert unknown_options("scripts/run --once --twice") == {"--twice"}
    assert unknown_options("splittally receipt entry --brand 1 --block 2") == {"--block"}
    assert unknown_options("scripts/verify_receipt.py FILE --sealer 0x… --trust-me") == {"--trust-me"}


def unknown_options(printed: str) -> set[str]:
    words = [word for word in printed.split() if "=" not in word or word.startswith("-")]
    if words[0].endswith("python"):
        words = words[2:] if words[1] == "-m" else words[1:]
        program, rest = words[0], words[1:]
    else:
        program, rest = MODULES.get(words[0], words[0]), words[1:]
    return set(OPTION.findall(printed)) - set(OPTION.findall(_help(program, tuple(_subcommands(rest)))))


def _subcommands(words: list[str]) -> list[str]:
    """The plain words before the first option, file or placeholder."""
    end = next((place for place, word in enumerate(words) if not WORD.match(word)), len(words))
    return words[:end]


@cache
def _help(program: str, subcommands: tuple[str, ...]) -> str:
    if program.endswith(".py"):
        return (ROOT / program).read_text()  # each of these is read whole, and may need an environment of its own to run
    if program == "scripts/bench":
        program, subcommands = f"scripts.benchmarks.{subcommands[0]}", ()
    command = [program] if program.startswith("scripts/") else ["-m", program]
    done = subprocess.run(
        [sys.executable, *command, *subcommands, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"`{program}` cannot be asked for its options:\n{done.stderr[-2_000:]}"
    return done.stdout
