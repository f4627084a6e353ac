"""How commands print: JSON with the API's names, CSV (RFC 4180) and tables for people. No id is ever cut, whatever the terminal's width."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.cells import cell_len

from gateway.values.currencies import major_text

Row = Mapping[str, Any]
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes text that begins with one of these for a formula."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table for people: what to show of a row; figures stand on the right."""

    heading: str
    show: Callable[[Row], object]
    is_figure: bool = False


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_rows(rows: Sequence[Row], columns: Sequence[Column], fields: Sequence[str], *, as_json: bool, as_csv: bool) -> None:
    """A list in the form that was asked for. `fields` are the columns of the CSV; `points.issued` is the field `issued` of `points`."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other: choose one")
    if as_json:
        print_json(rows)
    elif as_csv:
        click.echo(csv_text(rows, fields), nl=False)
    else:
        click.echo(table_text(rows, columns))


def csv_text(rows: Sequence[Row], fields: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(fields)
    writer.writerows([_csv_cell(_field(row, name)) for name in fields] for row in rows)
    return text.getvalue()


def table_text(rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Aligned columns, as wide as what stands in them."""
    lines = [[column.heading for column in columns], *([_visible(column.show(row)) for column in columns] for row in rows)]
    widths = [max(map(cell_len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(_aligned, line, widths, columns)).rstrip() for line in lines)


def amount_text(amount_minor: int | None, currency: str | None) -> str:
    """`12.30 EUR`; of no amount, nothing."""
    return "" if amount_minor is None or currency is None else f"{major_text(amount_minor, currency)} {currency}"


def _field(row: Row, name: str) -> object:
    value: Any = row
    for part in name.split("."):
        value = value[part]
    return value


def _csv_cell(value: object) -> object:
    """Numbers as they are. All text is treated as text from outside: where it would be a formula it gets an apostrophe before it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def _visible(value: object) -> str:
    """One line that moves no cursor and changes no colour, whatever the text holds."""
    text = "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _aligned(cell: str, width: int, column: Column) -> str:
    gap = " " * (width - cell_len(cell))
    return gap + cell if column.is_figure else cell + gap
