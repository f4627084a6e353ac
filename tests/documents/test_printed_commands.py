"""Every command that a document prints runs as printed, in the order of the documents.

Whoever prints a dear one, or one that cannot run here, names it below; all others run at every depth.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts import postgresql
from tests.depth import DEPTH, Depth
from tests.documents.checkout import Checkout
from tests.documents.printed import Block, blocks, documents, looks_like_a_command

# Statement → from which depth on it runs as printed, and what runs in its place before.
DEAR: dict[str, tuple[Depth, str | None]] = {
    "scripts/run": (Depth.SOAK, "scripts/run --households 12 --days 14"),
    "scripts/run --once --json summary.json --data var/once": (Depth.SOAK, None),
    "(cd tests/conformance/clients && npm ci)": (Depth.DEEP, None),
    "tests/conformance/clients/node_modules/.bin/anvil --port 8545 &": (Depth.DEEP, None),
    "scripts/run --once --rpc http://127.0.0.1:8545 --data var/anvil": (
        Depth.SOAK,
        "scripts/run --once --households 12 --days 5 --rpc http://127.0.0.1:8545 --data var/anvil",
    ),
    "createdb --template template0 --encoding UTF8 --locale C splittally": (Depth.DEEP, None),
    "scripts/run --once --database postgresql:///splittally --data var/postgresql": (
        Depth.SOAK,
        "scripts/run --once --households 12 --days 5 --database postgresql:///splittally --data var/postgresql",
    ),
    "SPLITTALLY_DEPTH=soak .venv/bin/python -m pytest tests/node/trie": (Depth.SOAK, None),
    "splittally audit --json": (Depth.DEEP, None),
    "splittally audit --invariant 5 --invariant 6": (Depth.DEEP, None),
    "scripts/bench gateway --json FILE": (Depth.SOAK, None),
    "scripts/bench ledger --json FILE": (Depth.SOAK, None),
    "scripts/bench nodes --json FILE": (Depth.SOAK, None),
}
SERVES = {  # statement → what it says once it answers
    "scripts/run": "API: ",
    "tests/conformance/clients/node_modules/.bin/anvil --port 8545 &": "Listening on",
    ".venv/bin/python -m gateway.brand_agent --config $shop/agent/agent.json &": "agent of brand 5",
    ".venv/bin/python -m gateway.brand_agent --config $shop/harbor/agent.json &": "agent of a store of brand 5",
    ".venv/bin/python -m node run --data var/replica --port 0 --follow $rpc": '"rpc_url"',
}
NOT_RUN = dict.fromkeys(("scripts/test", "scripts/test --deep", "scripts/test --soak"), "it runs this very test")


@pytest.mark.timeout(7_200 if DEPTH > Depth.NORMAL else 600)
def test_every_printed_command_runs_as_printed(tmp_path: Path) -> None:
    with _postgresql() as where:
        checkout = Checkout(tmp_path / "checkout", where)
        try:
            for block in _printed():
                if block.language == "python":
                    checkout.save(block.lines)
                    continue
                for statement in block.statements():
                    if not _lacks(statement, where):
                        _type(checkout, statement)
        finally:
            checkout.leave()


def test_what_is_named_here_is_still_printed() -> None:
    assert {*DEAR, *SERVES, *NOT_RUN} <= set(_statements())


def test_benchmarks_are_dear() -> None:
    """At full size they take an hour and both cores."""
    assert {statement for statement in _statements() if statement.startswith("scripts/bench")} <= set(DEAR)


def test_only_blocks_marked_as_shell_print_commands() -> None:
    """Blocks marked `text` show a program's options and are held against its help; those marked `till`, `rule`, `evidence` or `store` run
    beside a brand's agent, in tests/gateway/brand_agent; those marked `python` are files that a command below them runs."""
    known = ("sh", "text", "till", "rule", "evidence", "store", "python")
    other = [block for document in documents() for block in blocks(document) if block.language not in known]
    assert [line for block in other for line in block.lines if looks_like_a_command(line)] == []


def test_a_python_block_is_a_file_that_a_printed_command_runs() -> None:
    files = [block.lines[0].removeprefix("# ") for block in _printed() if block.language == "python"]
    assert files != []
    for path in files:
        assert any(f"/{path.rpartition('/')[2]} " in statement for statement in _statements()), path


def test_a_printed_loop_has_an_end_and_a_printed_write_shows_why_it_is_refused() -> None:
    """Who types them has done something wrong perhaps, and learns of it."""
    for statement in (statement for block in _printed() for statement in block.statements()):
        assert not statement.startswith(("until ", "while ")), statement
        assert "{ until " not in statement, statement
        assert "curl -sSf" not in statement or " -d " not in statement, f"{statement}: take --fail-with-body"


def test_comments_are_no_commands_and_a_backslash_goes_on() -> None:
    lines = ("one --a \\", "--b   # why", "# only said", "", "two '#'")
    assert Block("x.md", "sh", lines).statements() == ["one --a --b", "two '#'"]


def test_what_later_lines_presuppose_is_defined_and_run_once(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    for defines in ("a=1", "b='x y'", 'c="$a y"', "d=$(echo $(echo 2))", "e=http://h:$(echo 3)", "f() { echo 4; }", "g="):
        checkout.run(defines)
    checkout.run("a=7 bash -c 'echo $a >> once'")
    checkout.run('test "$a$b$c$d$e$(f)$g" = "1x y1 y2http://h:34"')
    assert (checkout.folder / "once").read_text() == "7\n"


def test_a_printed_command_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    checkout.run("word=there")
    checkout.run("test $word = there")
    with pytest.raises(AssertionError, match=r"(?s)`.venv/bin/python -m node run` ended with 2:.*--data"):
        checkout.run(".venv/bin/python -m node run")


@contextmanager
def _postgresql() -> Iterator[dict[str, str]]:
    """The variables by which PostgreSQL's programs and a server are found, as a user's are; none in the normal run."""
    programs = postgresql.find_programs() if DEPTH > Depth.NORMAL else None
    if programs is None:
        assert DEPTH == Depth.NORMAL or os.environ.get("CI") != "true"
        yield {}
        return
    server = postgresql.PostgresServer(programs)
    try:
        server.start()
        yield {"PATH": f"{programs}:{os.environ['PATH']}", "PGHOST": str(server.folder), "PGUSER": "splittally"}
    finally:
        server.remove()


def _lacks(statement: str, where: dict[str, str]) -> bool:
    """Whether it needs PostgreSQL or anvil, and that is not there."""
    if "postgresql" in statement or statement.startswith("createdb"):
        return not where
    return "8545" in statement and DEPTH == Depth.NORMAL


def _type(checkout: Checkout, statement: str) -> None:
    if statement in NOT_RUN:
        return
    depth, instead = DEAR.get(statement, (Depth.NORMAL, None))
    typed = statement if depth <= DEPTH else instead
    if typed is None:
        return
    if statement in SERVES:
        checkout.serve(typed, SERVES[statement])
    else:
        checkout.run(typed)


def _printed() -> list[Block]:
    return [block for document in documents() for block in blocks(document) if block.language in ("sh", "python")]


def _statements() -> list[str]:
    return [statement for block in _printed() if block.language == "sh" for statement in block.statements()]
