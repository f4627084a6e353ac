"""`splittally audit` and `splittally receipt`: numbers named, exit codes, JSON; and the script checks what the command wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.brands.tables import BrandDocumentRow
from gateway.cli import program
from gateway.store.session import Database
from gateway.values.hex import hex_text
from scripts.verify_receipt import main as verify_main
from tests.builders.databases import url_of
from tests.gateway.audit.live_ledger import FUEL, GROCER, LiveLedger, address_of, key_of
from tests.gateway.audit.test_rogue_ledger import publish
from tests.gateway.audit.test_tampered_database import tamper


@pytest.fixture
def run(honest: LiveLedger, copy: Database, tmp_path: Path) -> Callable[..., Result]:
    """The command line on the copied database."""
    settings = tmp_path / "gateway.toml"
    settings.write_text(f'database_url = "{url_of(copy)}"\nrpc_url = "{honest.node.url}"\nsandbox = true\n')
    return lambda *arguments: CliRunner().invoke(program(), ["--config", str(settings), *arguments])


def test_the_audit_of_an_honest_ledger_exits_0_and_prints_every_number(run: Callable[..., Result]) -> None:
    result = run("audit", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["invariants"] == {str(number): "ok" for number in range(1, 14)}
    assert found["not_yet"] == {"12": "no document is at hand of what acts for brand 1, 2"}, "a cycle was settled"
    in_words = run("audit", "--invariant", "3")
    assert in_words.exit_code == 0
    assert "a payment earns at most once" in in_words.stdout


def test_the_audit_of_a_tampered_database_exits_1_and_names_the_number(copy: Database, run: Callable[..., Result]) -> None:
    tamper(copy, "DELETE FROM operations WHERE kind = 'capture'")
    result = run("audit", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["failed"] == [5]
    assert found["invariants"]["5"].startswith("fails: capture at brand 2")
    assert "Does not hold: 5" in run("audit").stderr
    assert run("audit", "--invariant", "4").exit_code == 0


def test_an_auditor_misses_a_document_that_the_operator_threw_away(
    honest: LiveLedger, copy: Database, run: Callable[..., Result], tmp_path: Path
) -> None:
    key, kept = address_of(key_of(f"brand {GROCER}")), tmp_path / "kept"
    kept.mkdir()
    asked = "audit", "--json", "--invariant", "12", "--brand-documents", str(kept)
    assert "holds no documents of brands: save them there" in run(*asked).output
    publish(honest, copy, 1, frozenset({key}), key, frozenset())
    with copy.read() as session:
        row = session.query(BrandDocumentRow).one()
        saved = {"brand_id": GROCER, "number": 1, "document": row.document, "signature": hex_text(row.signature)}
    (kept / "grocer.json").write_text(json.dumps([saved]))
    result = run(*asked)
    assert (result.exit_code, json.loads(result.stdout)["not_yet"]) == (0, {"12": "no document is at hand of what acts for brand 2"})
    tamper(copy, "DELETE FROM brand_documents")
    result = run(*asked)
    assert json.loads(result.stdout)["findings"]["12"] == ["the gateway does not have document 1 of brand 1, which this auditor has"]
    assert result.exit_code == 1
    (kept / "grocer.json").write_text("{}")
    assert "grocer.json holds no documents of a brand: save what" in run(*asked).output


def test_there_is_no_fourteenth_invariant(run: Callable[..., Result]) -> None:
    assert run("audit", "--invariant", "14").exit_code == 2


def trusted(ledger: LiveLedger) -> list[str]:
    ready = ledger.node.ready
    assert ready is not None
    return ["--genesis-hash", ready["genesis_hash"], "--sealer", ready["sealer"], "--points-address", str(ledger.address)]


def test_a_receipt_written_by_the_command_is_checked_by_the_script(honest: LiveLedger, run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    written = run("receipt", "entry", "--brand", str(FUEL), "--batch", "2", "--index", "0", "-o", str(file))
    assert written.exit_code == 0, written.output
    assert verify_main([str(file), *trusted(honest)]) == 0
    refused = run("receipt", "entry", "--brand", str(FUEL), "--batch", "2", "--index", "3", "-o", str(file))
    assert refused.exit_code == 0
    assert verify_main([str(file), *trusted(honest)]) == 1
    assert verify_main([str(file), "--refused-entry", *trusted(honest)]) == 0
    points = run("receipt", "points", str(honest.members["anna"]))
    file.write_text(points.stdout)
    assert verify_main([str(file), *trusted(honest)]) == 1, "no brand is named, so lots may be left out"
    assert verify_main([str(file), "--brand", str(FUEL), *trusted(honest)]) == 0


def test_what_has_no_receipt_is_refused_by_name(run: Callable[..., Result]) -> None:
    result = run("receipt", "entry", "--brand", "9", "--batch", "1", "--index", "0", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["code"] == "not_found"
