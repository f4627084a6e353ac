"""`splittally init | status | rebuild` on a real node: safe to repeat, JSON where asked for, troubles named with status 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from gateway.cli import program
from tests.builders.coalition import blank_gateway, governed_by, running_coalition
from tests.builders.databases import url_of
from tests.builders.projection_rows import projection_rows


def run(*arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(program(), arguments)
    return done.exit_code, json.loads(done.stdout) if done.stdout.startswith("{") else done.output


def test_init_deploys_once_and_says_where(tmp_path: Path) -> None:
    with blank_gateway(tmp_path) as blank:
        settings = tmp_path / "gateway.toml"
        places = f'data_dir = "{blank.settings.data_dir}"\ndatabase_url = "{url_of(blank.database)}"\nrpc_url = "{blank.node.url}"\n'
        governing = "".join(f"{name} = {json.dumps(value)}\n" for name, value in governed_by().items())
        settings.write_text(places + "sandbox = true\n" + governing)
        code, first = run("init", "--config", str(settings), "--json")
        assert code == 0
        assert first["coalition_id"] == blank.node.ready["coalition_id"]  # type: ignore[index]
        assert run("init", "--config", str(settings), "--json") == (0, first)
        assert run("init", "--address", "--config", str(settings), "--json") == (0, {"operator": first["operator"]})
        code, status = run("status", "--config", str(settings), "--json")
        assert status["sandbox"] is True
        assert (code, status["projected_block"], status["transactions"]) == (0, status["node_block"], {"mined": 7})


def test_rebuild_reads_the_same_rows_again(tmp_path: Path) -> None:
    with running_coalition(tmp_path) as coalition:
        coalition.purchase(1, next(iter(coalition.member_keys)))
        coalition.work_off()
        options = ["--data-dir", str(coalition.settings.data_dir)]
        given = (
            f'database_url = "{url_of(coalition.database)}"\nrpc_url = "{coalition.node.url}"\nsandbox = true\nmember_delay_seconds = 0\n'
        )
        (coalition.settings.data_dir / "gateway.toml").write_text(given)
        code, refused = run(*options, "rebuild", "--json")
        assert (code, refused["code"]) == (1, "another_worker")
        coalition.worker.close()
        before = projection_rows(coalition.database)
        code, rebuilt = run(*options, "rebuild", "--json")
        assert (code, rebuilt["entries"], rebuilt["blocks"]) == (0, 1, len(before["ledger_blocks"]))
        assert projection_rows(coalition.database) == before


def test_troubles_are_named(tmp_path: Path) -> None:
    code, said = run("--data-dir", str(tmp_path / "none"), "status", "--json")
    assert (code, said["code"]) == (1, "unavailable")
    with blank_gateway(tmp_path) as blank:
        blank.node.kill()
        settings = tmp_path / "gateway.toml"
        settings.write_text(f'data_dir = "{blank.settings.data_dir}"\nrpc_url = "{blank.node.url}"\n')
        code, said = run("init", "--config", str(settings), "--json")
        assert (code, said["code"]) == (1, "unavailable")
        blank.settings.operator_key_file.chmod(0o644)
        code, said = run("init", "--config", str(settings), "--json")
        assert (code, said["code"]) == (1, "unsafe_file")
        blank.settings.operator_key_file.chmod(0o600)
    settings.write_text('host = "0.0.0.0"\n')
    assert run("status", "--config", str(settings), "--json")[1]["code"] == "bad_settings"
