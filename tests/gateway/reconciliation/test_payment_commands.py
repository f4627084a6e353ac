"""`splittally files | reconcile | breaks` on a real database, for people and as JSON."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.commands.payments import COMMANDS
from gateway.config import settings_of
from tests.builders.databases import url_of
from tests.builders.offline_coalition import OfflineCoalition, purchase_body
from tests.builders.payment_files import TILL_MAPPING, stripe_file, stripe_row

BY_NAME = {command.name: command for command in COMMANDS}


@pytest.fixture
def run(coalition: OfflineCoalition, tmp_path: Path) -> Any:
    settings = settings_of({"data_dir": str(tmp_path), "database_url": url_of(coalition.database)})

    def invoke(name: str, *arguments: object) -> Result:
        return CliRunner().invoke(BY_NAME[name], [str(one) for one in arguments], obj=settings)

    return invoke


def test_a_file_is_imported_reconciled_and_its_breaks_listed(coalition: OfflineCoalition, run: Any, tmp_path: Path) -> None:
    coalition.post("brand:1", "/v1/purchases", purchase_body("A"))
    path = tmp_path / "march.csv"
    path.write_bytes(stripe_file(stripe_row(1, "A", "24.00"), stripe_row(2, "A", "x")))
    imported = run("files", "import", path, "--brand", 1, "--layout", "stripe-payout-reconciliation", "--json")
    assert imported.exit_code == 0, imported.output
    shown = json.loads(imported.stdout)
    assert (shown["file_name"], shown["record_count"], shown["errors"][0]["line_number"]) == ("march.csv", 1, 3)
    again = run("files", "import", path, "--brand", 1, "--layout", "stripe-payout-reconciliation")
    assert "1 records kept, 1 lines not usable" in again.stdout
    assert "line 3: 'x' is not an amount" in again.stdout

    reconciled = run("reconcile", "--brand", 1, "--cut-off", "2017-03-25", "--json")
    assert json.loads(reconciled.stdout)["summary"]["breaks"]["wrong_amount"] == 1
    assert "wrong_amount 1" in run("reconcile", "--brand", 1, "--cut-off", "2017-03-25").stdout
    named = json.loads(reconciled.stdout)["reconciliation_id"]
    listed = json.loads(run("breaks", "list", "--brand", 1, "--reconciliation", named, "--json").stdout)
    assert {one["reconciliation_id"] for one in listed} == {named}
    assert [(one["kind"], one["expected_minor"], one["found_minor"]) for one in listed] == [("wrong_amount", 2500, 2400)]
    assert json.loads(run("breaks", "list", "--brand", 1, "--kind", "late", "--json").stdout) == []


def test_breaks_are_listed_whole_with_their_currencies(coalition: OfflineCoalition, run: Any, tmp_path: Path) -> None:
    """In 80 columns and piped alike: every id can be copied from the list."""
    payment_id = "till-4711-" + "7" * 40
    coalition.post("brand:1", "/v1/purchases", purchase_body(payment_id))
    path = tmp_path / "march.csv"
    path.write_bytes(stripe_file(stripe_row(1, payment_id, "24.00")))
    assert run("files", "import", path, "--brand", 1, "--layout", "stripe-payout-reconciliation").exit_code == 0
    reconciled = json.loads(run("reconcile", "--brand", 1, "--cut-off", "2017-03-25", "--json").stdout)
    table = run("breaks", "list", "--brand", 1).stdout
    assert "…" not in table
    [row] = [line for line in table.splitlines() if "wrong_amount" in line]
    assert payment_id in row
    assert "25.00 USD" in row
    assert "24.00 USD" in row
    text = run("breaks", "list", "--brand", 1, "--csv").stdout
    [cells] = csv.DictReader(io.StringIO(text, newline=""))
    assert (cells["payment_id"], cells["expected_minor"], cells["expected_currency"]) == (payment_id, "2500", "USD")
    assert (cells["found_minor"], cells["found_currency"]) == ("2400", "USD")
    again = run("breaks", "list", "--brand", 1, "--reconciliation", cells["reconciliation_id"], "--csv")
    assert (cells["reconciliation_id"], again.stdout) == (reconciled["reconciliation_id"], text)
    assert run("breaks", "list", "--brand", 1, "--csv", "--json").exit_code == 2


def test_a_record_in_another_currency_is_shown_in_its_own(coalition: OfflineCoalition, run: Any, tmp_path: Path) -> None:
    coalition.post("brand:1", "/v1/purchases", purchase_body("A"))
    path = tmp_path / "march.csv"
    path.write_bytes(stripe_file(stripe_row(1, "A", "25").replace("usd", "jpy").replace("0.00", "0")))
    assert run("files", "import", path, "--brand", 1, "--layout", "stripe-payout-reconciliation").exit_code == 0
    assert run("reconcile", "--brand", 1, "--cut-off", "2017-03-25").exit_code == 0
    [row] = [line for line in run("breaks", "list", "--brand", 1).stdout.splitlines() if "wrong_currency" in line]
    assert "25.00 USD" in row
    assert "25 JPY" in row


def test_a_mapping_is_saved_and_used(run: Any, tmp_path: Path) -> None:
    mapping, path = tmp_path / "till.json", tmp_path / "till.csv"
    mapping.write_text(json.dumps(TILL_MAPPING))
    path.write_text("Txn;Receipt;Date;Total;Type\n1;A;16/03/2017 10:00;25.00;SALE\nTOTAL;1;25.00\n")
    assert run("files", "save-mapping", "till", mapping, "--brand", 1).stdout == "mapped:till@1\n"
    assert run("files", "import", path, "--brand", 1, "--layout", "mapped:till").exit_code == 0


def test_a_refusal_ends_with_status_one_and_its_code(coalition: OfflineCoalition, run: Any, tmp_path: Path) -> None:
    path, broken = tmp_path / "other.csv", tmp_path / "broken.json"
    path.write_text("a,b\n1,2\n")
    broken.write_text("{")
    refused = run("files", "import", path, "--brand", 1, "--layout", "stripe-payout-reconciliation", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["code"]) == (1, "payment_file_refused")
    plain = run("files", "import", path, "--brand", 1, "--layout", "stripe-payout-reconciliation")
    assert (plain.exit_code, "unknown_layout" in plain.stderr) == (1, True)
    with coalition.no_trace():
        assert run("files", "import", path, "--brand", 9, "--layout", "stripe-payout-reconciliation").exit_code == 1
        assert run("files", "import", path, "--brand", 1, "--layout", "guess").exit_code == 1
        assert run("files", "save-mapping", "till", broken, "--brand", 1).exit_code == 1
        assert run("reconcile", "--brand", 9, "--cut-off", "2017-03-25").exit_code == 1
        assert run("reconcile", "--brand", 1, "--cut-off", "2017-02-30").exit_code == 2
        assert run("breaks", "list", "--brand", 2).exit_code == 1
