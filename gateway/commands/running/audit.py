"""`splittally audit`: checks the invariants on live data, names the numbers that fail, and exits 1 if any does."""

from __future__ import annotations

import json
import sys

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateway.audit.invariants import NUMBERS
from gateway.audit.run import AuditReport, audit
from gateway.commands.running.opening import open_chain, open_database
from gateway.commands.running.troubles import troubles_named
from gateway.store.unit_of_work import wall_clock


@troubles_named
def audit_invariants(numbers: tuple[int, ...], as_json: bool) -> None:
    if unknown := set(numbers) - set(NUMBERS):
        raise click.UsageError(f"there is no invariant {min(unknown)}: --invariant is {min(NUMBERS)} to {max(NUMBERS)}")
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    quiet = as_json or not sys.stderr.isatty()
    database, chain = open_database(), open_chain()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("Reading the database", total=None)

        def show(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing.capitalize(), completed=done, total=total)

        report = audit(database, chain, wall_clock, numbers=numbers or NUMBERS, progress=show)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
    else:
        _show(report)
    if report.failed:
        raise SystemExit(1)


def _show(report: AuditReport) -> None:
    table = Table(
        "", "Invariant", "Verdict", title=f"Audit at block {report.block_number}: {report.entries} entries in {report.batches} batches"
    )
    for verdict in report.verdicts:
        not_yet = f" ({verdict.not_yet})" if verdict.not_yet else ""
        table.add_row(
            str(verdict.number), verdict.sentence, "ok" + not_yet if verdict.holds else f"FAILS, {verdict.findings_total} findings"
        )
    Console().print(table)
    for verdict in report.verdicts:
        for finding in verdict.findings:
            click.echo(f"{verdict.number}: {finding}")
        if verdict.findings_total > len(verdict.findings):
            click.echo(f"{verdict.number}: … and {verdict.findings_total - len(verdict.findings)} more")
    if report.failed:
        click.echo("Does not hold: " + ", ".join(str(number) for number in report.failed), err=True)
