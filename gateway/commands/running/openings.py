"""`splittally openings`: an earlier programme's balances in, what became of every line out."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.commands.running.opening import open_database
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.ledger.opening_file import OPENING_FILE_BYTES_MAX, OpeningTerms
from gateway.members.rows import SqlMembers
from gateway.points.import_openings import import_openings
from gateway.points.opening import OpeningImport
from gateway.points.opening_rows import SqlOpenings
from gateway.points.opening_views import OpeningFileView, OpeningLineView, opening_file_view, opening_lines
from gateway.rounds.rows import SqlOperations
from gateway.store.session import Database
from gateway.store.unit_of_work import new_id, new_operation_id, reading, writing
from gateway.values.errors import Invalid, NotFound, TooLarge

LINES_SHOWN = 20
_NOT_GIVEN = ("waiting", "refused", "unusable")


@troubles_named
def import_file(path: Path, brand_id: int, programme: str, ratio: str, expires_on: datetime | None, as_json: bool) -> None:
    written = re.fullmatch(r"([0-9]{1,10}):([0-9]{1,10})", ratio)
    if written is None:
        raise Invalid(f"--ratio is POINTS:UNITS in whole numbers, e.g. 1:2, not {ratio}", field="ratio")
    if path.stat().st_size > OPENING_FILE_BYTES_MAX:
        raise TooLarge(f"an opening file has at most {OPENING_FILE_BYTES_MAX} bytes: import it in parts")
    terms = OpeningTerms(programme, int(written[1]), int(written[2]), None if expires_on is None else expires_on.date())
    database = open_database()
    with writing(database, business_clock()) as work:
        brand = work.of(SqlBrands).find(brand_id)
        if brand is None:
            raise NotFound(f"there is no brand {brand_id}", brand_id=brand_id)
        file = import_openings(
            OpeningImport(brand_id, path.name[-200:], path.read_bytes(), terms),
            brand=brand,
            coalition=work.of(SqlCoalition).facts,
            members=work.of(SqlMembers),
            openings=work.of(SqlOpenings),
            operations=work.of(SqlOperations),
            new_id=new_operation_id,
            opening_file_id=new_id(),
            now=work.now,
        )
    _print(database, file.opening_file_id, as_json)


@troubles_named
def show(opening_file_id: str, as_json: bool) -> None:
    _print(open_database(), opening_file_id, as_json)


def _print(database: Database, opening_file_id: str, as_json: bool) -> None:
    with reading(database, business_clock()) as work:
        file = work.of(SqlOpenings).find(opening_file_id)
        if file is None:
            raise NotFound(f"there is no opening file {opening_file_id}: `splittally openings import` names the one it keeps")
        view = opening_file_view(work.session, file)
        most = 1_000_000 if as_json else LINES_SHOWN
        lines = [
            line for state in _NOT_GIVEN for line in opening_lines(work.session, opening_file_id, state=state, after_line=0, limit=most)
        ]
    if as_json:
        print_json(asdict(view) | {"lines_not_given": [asdict(line) for line in lines]})
    else:
        _show(view, lines)


def _show(view: OpeningFileView, lines: list[OpeningLineView]) -> None:
    click.echo(
        f"{view.opening_file_id}: {view.row_count} lines of {view.file_name}, {view.ratio_points} points for {view.ratio_units} units"
    )
    for name, one in view.states.items():
        if one.lines:
            click.echo(f"  {name}: {one.lines} lines, {one.units} units, {one.points} points")
    click.echo(f"  rounded down: {view.units} units x {view.ratio_points} = {view.points} points x {view.ratio_units} + {view.rounded_off}")
    for line in lines[:LINES_SHOWN]:
        click.echo(f"  line {line.line_number}, {line.state}: {line.reason}")
    if len(lines) > LINES_SHOWN:
        click.echo("  … --json names them all")
