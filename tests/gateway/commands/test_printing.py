"""Lists are whole for people, exact for programs, and harmless in a spreadsheet or a terminal."""

from __future__ import annotations

import csv
import io

from gateway.commands.running.printing import Column, amount_text, csv_text, table_text

ID = "duplicated-" + "0123456789abcdef" * 8
COLUMNS = (Column("Id", lambda row: row["id"]), Column("Points", lambda row: row["points"]["issued"], is_figure=True))


def test_a_table_is_as_wide_as_what_stands_in_it() -> None:
    rows = [{"id": ID, "points": {"issued": 1_234_567}}, {"id": "short", "points": {"issued": None}}]
    heading, first, second = table_text(rows, COLUMNS).splitlines()
    assert first == f"{ID}  1,234,567"
    assert (heading.split(), second) == (["Id", "Points"], "short")
    assert table_text([], COLUMNS) == "Id  Points"


def test_text_from_outside_moves_no_cursor_and_begins_no_line() -> None:
    [_, line] = table_text([{"id": "a\x1b[2J\nb", "points": {"issued": 0}}], COLUMNS).splitlines()
    assert line.startswith("a\\x1b[2J\\nb ")


def test_wide_letters_keep_the_columns_aligned() -> None:
    lines = table_text([{"id": "日本", "points": {"issued": 1}}, {"id": "abcd", "points": {"issued": 2}}], COLUMNS).splitlines()
    assert [line.rsplit(maxsplit=1)[0] for line in lines[1:]] == ["日本", "abcd"]
    assert lines[1].index("1") == lines[2].index("2") - 2


def test_csv_keeps_whole_numbers_and_quotes_what_must_be() -> None:
    text = csv_text([{"id": 'a"b,\nc', "points": {"issued": -5}, "on": True, "none": None}], ("id", "points.issued", "on", "none"))
    assert text == 'id,points.issued,on,none\r\n"a""b,\nc",-5,true,\r\n'


def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe() -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "plain", "a=b"]
    read = [row["id"] for row in csv.DictReader(io.StringIO(csv_text([{"id": text} for text in texts], ["id"]), newline=""))]
    assert read == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "plain", "a=b"]


def test_amounts_have_the_decimals_of_their_currency() -> None:
    shown = [amount_text(1230, "EUR"), amount_text(1230, "JPY"), amount_text(-1230, "BHD"), amount_text(None, "EUR")]
    assert shown == ["12.30 EUR", "1230 JPY", "-1.230 BHD", ""]
