"""`splittally expiry-runs list | show` on a real database: for people, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands.expiry_runs import expiry_runs
from gateway.config import Settings, settings_of
from tests.builders.databases import url_of
from tests.builders.offline_coalition import START, OfflineCoalition

DAY = "2017-05-01"
EXPIRED = START + 47 * 86_400


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two brands whose runs of a day are accepted: one operation of brand 1's, refused, and one of brand 2's, waiting."""
    coalition = OfflineCoalition(tmp_path)
    for brand in (1, 2):
        coalition.brand(brand)
        coalition.put_points(coalition.shopper(brand).member_id, 1_000 + brand, brand_id=brand, months=1)
    coalition.move_time(EXPIRED)
    first = coalition.post("operator", "/v1/expiry-runs", {}).json()["operations"][0]
    coalition.finish(first["operation_id"], "refused", "nothing_to_expire")
    coalition.close()
    return settings_of({"data_dir": tmp_path, "database_url": url_of(coalition.database)})


def said(settings: Settings, *arguments: str) -> str:
    answer = CliRunner().invoke(expiry_runs, arguments, obj=settings)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_runs_are_listed_for_people_and_programs(settings: Settings) -> None:
    heading, second, first = said(settings, "list").splitlines()
    assert heading.split("  ")[0] == "Brand"
    assert (second.split()[:2], "goes on" in second) == (["2", DAY], True)
    assert (first.split()[:2], "goes on" in first) == (["1", DAY], False)
    listed = json.loads(said(settings, "list", "--json"))
    assert [(one["brand_id"], one["day"], one["waiting"]) for one in listed] == [
        (2, DAY, {"operations": 1, "points": 1_002}),
        (1, DAY, {"operations": 0, "points": 0}),
    ]
    rows = list(csv.DictReader(io.StringIO(said(settings, "list", "--csv"))))
    assert [(row["brand_id"], row["refused.operations"], row["waiting.points"]) for row in rows] == [("2", "0", "1002"), ("1", "1", "0")]
    assert [one["brand_id"] for one in json.loads(said(settings, "list", "--brand", "1", "--json"))] == [1]
    assert len(json.loads(said(settings, "list", "--limit", "1", "--json"))) == 1


def test_a_run_is_shown_with_its_operations(settings: Settings) -> None:
    for_people = said(settings, "show", DAY, "--brand", "1")
    assert "nothing_to_expire" in for_people
    assert "1,001" in for_people
    shown = json.loads(said(settings, "show", DAY, "--brand", "1", "--json"))
    assert (shown["lots"], shown["reasons"]) == (1, {"nothing_to_expire": 1})
    [line] = shown["operations"]
    assert (line["points"], line["status"], line["expiry_date"]) == (1_001, "refused", "2017-04-30")
    [row] = csv.DictReader(io.StringIO(said(settings, "show", DAY, "--brand", "2", "--csv")))
    assert (row["points"], row["status"], row["reason"]) == ("1002", "accepted", "")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["show", "2017-05-02", "--brand", "1"], "brand 1 has no expiry run of 2017-05-02"),
        (["show", "may", "--brand", "1"], "does not match the format"),
        (["show", DAY], "Missing option '--brand'"),
        (["show", DAY, "--brand", "1", "--json", "--csv"], "exclude each other"),
        (["list", "--json", "--csv"], "exclude each other"),
        (["list", "--limit", "0"], "not in the range"),
    ],
)
def test_a_bad_command_is_refused_with_a_reason(settings: Settings, arguments: list[str], reason: str) -> None:
    answer = CliRunner().invoke(expiry_runs, arguments, obj=settings)
    assert answer.exit_code != 0
    assert reason in answer.output
