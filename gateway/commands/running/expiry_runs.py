"""`splittally expiry-runs`: what each day let expire, by brand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click

from gateway.commands.running.opening import open_database
from gateway.commands.running.printing import Column, print_json, print_rows, table_text
from gateway.commands.running.troubles import troubles_named
from gateway.points.expiry_views import ExpiryLineView, expiry_lines, find_expiry_run, list_expiry_runs
from gateway.values.calendar import day_number

_STATES = ("confirmed", "refused", "waiting")
RUN_COLUMNS = (
    Column("Brand", lambda run: str(run["brand_id"]), is_figure=True),
    Column("Day", lambda run: run["day"]),
    Column("Lots", lambda run: run["lots"], is_figure=True),
    Column("Points expired", lambda run: run["confirmed"]["points"], is_figure=True),
    Column("Confirmed", lambda run: run["confirmed"]["operations"], is_figure=True),
    Column("Refused", lambda run: run["refused"]["operations"], is_figure=True),
    Column("Waiting", lambda run: run["waiting"]["operations"], is_figure=True),
    Column("Started", lambda run: run["started_at"]),
    Column("Finished", lambda run: run["finished_at"] or "goes on"),
)
RUN_FIELDS = (
    *("brand_id", "day", "lots"),
    *(f"{state}.{what}" for state in _STATES for what in ("operations", "points")),
    *("started_at", "finished_at"),
)
LINE_COLUMNS = (
    Column("Member", lambda line: line["member_id"]),
    Column("Lot's last day", lambda line: line["expiry_date"]),
    Column("Points", lambda line: line["points"], is_figure=True),
    Column("Status", lambda line: line["status"]),
    Column("Why", lambda line: line["reason"]),
)
LINE_FIELDS = ExpiryLineView.__slots__


@troubles_named
def show_runs(brand_id: int | None, limit: int, as_json: bool, as_csv: bool) -> None:
    with open_database().read() as session:
        found = list_expiry_runs(session, brand_id, None, limit).expiry_runs
    print_rows([asdict(run) for run in found], RUN_COLUMNS, RUN_FIELDS, as_json=as_json, as_csv=as_csv)


@troubles_named
def show_run(day: datetime, brand_id: int, as_json: bool, as_csv: bool) -> None:
    number = day_number(day.date())
    with open_database().read() as session:
        run = asdict(find_expiry_run(session, brand_id, number))
        lines = [asdict(line) for line in expiry_lines(session, brand_id, number)]
    if as_json and not as_csv:
        print_json(run | {"operations": lines})
        return
    if not as_csv:
        click.echo(table_text([run], RUN_COLUMNS) + "\n")
    print_rows(lines, LINE_COLUMNS, LINE_FIELDS, as_json=as_json, as_csv=as_csv)
