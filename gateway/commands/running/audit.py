"""`splittally audit`: checks the invariants on live data, names the numbers that fail, and exits 1 if any does."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.audit.invariants import NUMBERS
from gateway.audit.own_documents import read_documents
from gateway.audit.run import AuditReport, audit
from gateway.commands.running.opening import open_chain, open_database
from gateway.commands.running.printing import Column, Row, table_text
from gateway.commands.running.troubles import troubles_named
from gateway.values.calendar import wall_clock

VERDICT_COLUMNS = (
    Column("", lambda verdict: verdict["number"], is_figure=True),
    Column("Verdict", lambda verdict: _verdict(verdict)),
    Column("Invariant", lambda verdict: verdict["sentence"]),
)


@troubles_named
def audit_invariants(numbers: tuple[int, ...], documents: Path | None, as_json: bool) -> None:
    if unknown := set(numbers) - set(NUMBERS):
        raise click.UsageError(f"there is no invariant {min(unknown)}: --invariant is {min(NUMBERS)} to {max(NUMBERS)}")
    own_documents = () if documents is None else read_documents(documents)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    quiet = as_json or not sys.stderr.isatty()
    database, chain = open_database(), open_chain()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("Reading the database", total=None)

        def show(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing.capitalize(), completed=done, total=total)

        report = audit(database, chain, wall_clock, numbers=numbers or NUMBERS, progress=show, own_documents=own_documents)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
    else:
        _show(report)
    if report.failed:
        raise SystemExit(1)


def _show(report: AuditReport) -> None:
    click.echo(f"Audit at block {report.block_number}: {report.entries} entries in {report.batches} batches")
    click.echo(table_text([asdict(verdict) for verdict in report.verdicts], VERDICT_COLUMNS))
    for verdict in report.verdicts:
        for finding in verdict.findings:
            click.echo(f"{verdict.number}: {finding}")
        if verdict.findings_total > len(verdict.findings):
            click.echo(f"{verdict.number}: … and {verdict.findings_total - len(verdict.findings)} more")
    if report.failed:
        click.echo("Does not hold: " + ", ".join(str(number) for number in report.failed), err=True)


def _verdict(verdict: Row) -> str:
    if verdict["findings_total"]:
        return f"FAILS, {verdict['findings_total']} findings"
    return "ok" + (f" ({verdict['not_yet']})" if verdict["not_yet"] else "")
