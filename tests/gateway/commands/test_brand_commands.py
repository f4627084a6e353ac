"""`splittally brands | keys` on a real database."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.commands.brands import brands, keys
from gateway.config import Settings, settings_of
from tests.builders.databases import url_of
from tests.builders.offline_coalition import OfflineCoalition


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A coalition with one brand."""
    coalition = OfflineCoalition(tmp_path)
    coalition.brand(1)
    coalition.close()
    return settings_of({"data_dir": tmp_path, "database_url": url_of(coalition.database)})


def test_brands_are_listed_for_people_and_programs(settings: Settings) -> None:
    assert "Brand 1" in CliRunner().invoke(brands, ["list"], obj=settings).output
    listed = json.loads(CliRunner().invoke(brands, ["list", "--json"], obj=settings).output)
    assert [(one["brand_id"], one["status"]) for one in listed] == [(1, "active")]


def test_lists_are_csv_where_asked_for(settings: Settings) -> None:
    CliRunner().invoke(keys, ["create", "--role", "auditor", "--label", "=cmd()"], obj=settings)
    [brand] = csv.DictReader(io.StringIO(CliRunner().invoke(brands, ["list", "--csv"], obj=settings).stdout))
    assert (brand["brand_id"], brand["points.issued"], brand["par.numerator"]) == ("1", "0", "1")
    listed = csv.DictReader(io.StringIO(CliRunner().invoke(keys, ["list", "--csv"], obj=settings).stdout))
    assert [key["label"] for key in listed if key["role"] == "auditor" and key["label"].endswith("cmd()")] == ["'=cmd()"]


def test_a_key_is_made_listed_without_its_secret_and_revoked(settings: Settings) -> None:
    made = CliRunner().invoke(keys, ["create", "--role", "brand", "--brand", "1", "--label", "till", "--json"], obj=settings)
    token = json.loads(made.output)["token"]
    key_id, _, secret = token.partition(".")
    listed = CliRunner().invoke(keys, ["list", "--json"], obj=settings).output
    assert key_id in listed
    assert secret not in listed
    assert CliRunner().invoke(keys, ["revoke", key_id], obj=settings).exit_code == 0
    rows = {row["key_id"]: row["revoked_at"] for row in json.loads(CliRunner().invoke(keys, ["list", "--json"], obj=settings).output)}
    assert rows[key_id] is not None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["create", "--role", "brand", "--label", "x"], "a brand's key names its brand"),
        (["create", "--role", "brand", "--brand", "9", "--label", "x"], "there is no brand 9"),
        (["create", "--role", "auditor", "--brand", "1", "--label", "x"], "other keys none"),
        (["create", "--role", "king", "--label", "x"], "'king' is not one of"),
        (["revoke", "unknown"], "there is no API key unknown"),
    ],
)
def test_a_bad_command_is_refused_with_a_reason(settings: Settings, arguments: list[str], reason: str) -> None:
    before = CliRunner().invoke(keys, ["list", "--json"], obj=settings).output
    answer = CliRunner().invoke(keys, arguments, obj=settings)
    assert answer.exit_code != 0
    assert reason in answer.output
    assert CliRunner().invoke(keys, ["list", "--json"], obj=settings).output == before
