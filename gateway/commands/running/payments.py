"""`splittally files | reconcile | breaks`: payment files in, named breaks out, for whoever runs the gateway."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gateway.api.reconciliation_facts import gathered_facts
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.commands.running.opening import open_database
from gateway.commands.running.printing import Column, Row, amount_text, print_json, print_rows
from gateway.commands.running.troubles import troubles_named
from gateway.payments.import_payment_file import PaymentFileImport, keep_payment_file, read_payment_file
from gateway.payments.layouts import layout_named
from gateway.payments.record import ControlTotals, FileStatus, PaymentFile, PaymentFileRefused, RowsRead
from gateway.payments.rows import SqlColumnMappings, SqlPaymentFiles
from gateway.payments.save_column_mapping import DEFINITION_CHARACTERS_MAX, save_column_mapping
from gateway.payments.views import line_errors, record_currencies
from gateway.reconciliation.breaks import Break, BreakKind
from gateway.reconciliation.reconcile import keep_reconciliation, reconcile_brand
from gateway.reconciliation.rows import SqlReconciliations
from gateway.reconciliation.views import KeptReconciliation, NumberedBreak, find_reconciliation, latest_reconciliation, list_breaks
from gateway.store.session import Database
from gateway.store.unit_of_work import new_id, reading, writing
from gateway.values.errors import Invalid, NotFound


@troubles_named
def import_file(
    path: Path,
    brand_id: int,
    layout: str,
    reference_column: str | None,
    time_zone: str | None,
    expected_rows: int | None,
    expected_gross_minor: int | None,
    as_json: bool,
) -> None:
    given = {"reference_column": reference_column, "time_zone": time_zone}
    options = {name: value for name, value in given.items() if value is not None}
    stated = ControlTotals(expected_rows, expected_gross_minor)
    database = open_database()
    with _progress(as_json) as progress:
        task = progress.add_task(f"Reading {path.name}", rows=0)
        file = _import(database, path, brand_id, layout, options, stated, lambda done: progress.update(task, rows=done))
    if file.status is FileStatus.REFUSED:
        raise PaymentFileRefused(
            f"the file was kept and marked, none of its rows is used: {file.reason}",
            payment_file_id=file.payment_file_id,
            reason=file.reason,
        )
    with database.read() as session:
        errors = line_errors(session, file.payment_file_id, limit=1_000_000 if as_json else 20)
    if as_json:
        print_json(asdict(file) | {"file_hash": str(file.file_hash), "errors": [asdict(error) for error in errors]})
        return
    click.echo(f"{file.record_count} records kept, {file.error_count} lines not usable ({file.payment_file_id})")
    for error in errors:
        click.echo(f"  line {error.line_number}: {error.reason}")
    if file.error_count > len(errors):
        click.echo(f"  … and {file.error_count - len(errors)} more: --json names them all")


@troubles_named
def save_mapping(name: str, path: Path, brand_id: int, as_json: bool) -> None:
    if path.stat().st_size > DEFINITION_CHARACTERS_MAX:
        raise Invalid(f"a mapping has at most {DEFINITION_CHARACTERS_MAX} characters")
    try:
        definition = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Invalid(f"{path.name} is not JSON: {error}") from None
    with writing(open_database(), business_clock()) as work:
        _check_brand(work.of(SqlBrands).find(brand_id), brand_id)
        saved = save_column_mapping(brand_id, name, definition, mappings=work.of(SqlColumnMappings), now=work.now)
    if as_json:
        print_json({"brand_id": brand_id, "name": name, "version": saved.version, "layout": f"mapped:{name}@{saved.version}"})
    else:
        click.echo(f"mapped:{name}@{saved.version}")


@troubles_named
def reconcile(brand_id: int, cut_off: Any, as_json: bool) -> None:
    database = open_database()
    reconciliation_id = new_id()
    with _progress(as_json) as progress:
        progress.add_task("Matching", rows="")
        with reading(database, business_clock()) as work:
            _check_brand(work.of(SqlBrands).find(brand_id), brand_id)
            item = reconcile_brand(brand_id, cut_off.date(), facts=gathered_facts(work))
        with writing(database, business_clock()) as work:
            keep_reconciliation(item, reconciliations=work.of(SqlReconciliations), reconciliation_id=reconciliation_id, now=work.now)
    with database.read() as session:
        kept = find_reconciliation(session, reconciliation_id)
    assert kept is not None, "the reconciliation was just kept"
    if as_json:
        print_json(asdict(kept))
    else:
        _show(kept)


BREAK_COLUMNS = (
    Column("", lambda one: str(one["break_number"]), is_figure=True),
    Column("Break", lambda one: one["kind"]),
    Column("Payment", lambda one: one["payment_id"]),
    Column("Record", lambda one: one["provider_record_id"]),
    Column("Expected", lambda one: amount_text(one["expected_minor"], one["expected_currency"]), is_figure=True),
    Column("Found", lambda one: amount_text(one["found_minor"], one["found_currency"]), is_figure=True),
    Column("Days", lambda one: one["age_days"], is_figure=True),
    Column("Why", lambda one: one["detail"]),
)
BREAK_FIELDS = ("reconciliation_id", "cut_off_date", "break_number", *Break.__slots__, "expected_currency", "found_currency")


@troubles_named
def show_breaks(brand_id: int, reconciliation_id: str | None, kind: str | None, limit: int | None, as_json: bool, as_csv: bool) -> None:
    with reading(open_database(), business_clock()) as work:
        session = work.session
        kept = find_reconciliation(session, reconciliation_id) if reconciliation_id else latest_reconciliation(session, brand_id)
        if kept is None or kept.brand_id != brand_id:
            named = f"reconciliation {reconciliation_id}" if reconciliation_id else "reconciliation yet"
            raise NotFound(
                f"brand {brand_id} has no {named}: `splittally reconcile --brand {brand_id} --cut-off DATE` makes one and names it"
            )
        found = list_breaks(session, kept.reconciliation_id, kind=BreakKind(kind) if kind else None, limit=limit)
        paid_in = record_currencies(session, [one.found.payment_record_id for one in found if one.found.payment_record_id is not None])
        sold_in = work.of(SqlCoalition).facts.currency
    rows = [_break_row(kept, one, sold_in, paid_in) for one in found]
    print_rows(rows, BREAK_COLUMNS, BREAK_FIELDS, as_json=as_json, as_csv=as_csv)


def _break_row(kept: KeptReconciliation, one: NumberedBreak, sold_in: str, paid_in: Mapping[int, str]) -> Row:
    """Purchases are in the coalition's currency; what was found is in its record's own."""
    item = one.found
    return {
        "reconciliation_id": kept.reconciliation_id,
        "cut_off_date": kept.cut_off_date,
        "break_number": one.break_number,
        **asdict(item),
        "expected_currency": None if item.expected_minor is None else sold_in,
        "found_currency": None if item.payment_record_id is None else paid_in[item.payment_record_id],
    }


def _import(
    database: Database,
    path: Path,
    brand_id: int,
    layout_name: str,
    options: dict[str, str],
    stated: ControlTotals,
    progress: RowsRead,
) -> PaymentFile:
    with reading(database, business_clock()) as work:
        _check_brand(work.of(SqlBrands).find(brand_id), brand_id)
        layout = layout_named(
            layout_name,
            options,
            brand_id=brand_id,
            mappings=work.of(SqlColumnMappings),
            utc_offset_seconds=work.of(SqlCoalition).facts.utc_offset_seconds,
            progress=progress,
        )
    request = PaymentFileImport(brand_id, path.name[-200:], path.read_bytes(), layout.name, layout.options, stated)
    item = read_payment_file(request, reader=layout.reader)
    with writing(database, business_clock()) as work:
        return keep_payment_file(item, files=work.of(SqlPaymentFiles), payment_file_id=new_id(), now=work.now)


def _check_brand(brand: object, brand_id: int) -> None:
    if brand is None:
        raise NotFound(f"there is no brand {brand_id}", brand_id=brand_id)


def _progress(as_json: bool) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.fields[rows]}"), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=as_json or not sys.stderr.isatty())


def _show(kept: KeptReconciliation) -> None:
    click.echo(
        f"Reconciliation {kept.reconciliation_id} of brand {kept.brand_id} up to {kept.cut_off_date}, ledger at block {kept.at_block}"
    )
    for name, value in kept.summary.items():
        if isinstance(value, dict):
            click.echo(f"  {name}: " + ", ".join(f"{kind} {count}" for kind, count in value.items() if count))
        else:
            click.echo(f"  {name}: {value}")
