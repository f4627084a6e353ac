"""From the first revision with a row or two in every table to the newest: nothing is lost, and the gateway goes on with it.

But for a ledger that was deployed before the contract computed roots: it is refused, and its database left as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Column, Engine, Integer, LargeBinary, MetaData, Table, select, text
from starlette.testclient import TestClient

from gateway.access.api_key import Role
from gateway.access.create_api_key import create_api_key
from gateway.access.rows import SqlApiKeys
from gateway.api.context import Context
from gateway.app import create_app
from gateway.store.migrations import EarlierLedger, SchemaBehind, check_schema, configuration_for, migrate
from gateway.store.session import Database
from gateway.store.unit_of_work import writing
from tests.builders.databases import empty_database
from tests.builders.offline_coalition import START, brand_body

ROWS = 2
SIZES = {"member_id": 20, "key_address": 20, "access_manager_address": 20, "points_address": 20, "authorizer": 20}  # other bytes have 32
WORDS = {
    "currency": "USD",
    "channel": "store",
    "kind": "issue",
    "role": "auditor",
    **dict.fromkeys(("terms", "summary", "body", "why"), "{}"),
    "ledger_brands.status": "active",
    "operations.status": "confirmed",
    **dict.fromkeys(("batches.status", "transactions.status"), "mined"),
}
NUMBERS = {"transactions.nonce": 40, "batches.number": 7, "ledger_batches.number": 5, "timestamp": START}
_RATIOS = {"par_numerator", "par_denominator", "redemption_numerator", "redemption_denominator"}
LEFT_OUT = {"batches": {"root"}, "ledger_brands": _RATIOS, "coalition": {"access_manager_address"}}  # columns that later revisions drop
GIVEN_OUT = {"nonce": 43, "brand": 2, "batch of 1": 8, "batch of 2": 9}


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Database]:
    """At the first revision, with rows."""
    database = Database(empty_database(tmp_path))
    _upgrade(database.engine, ScriptDirectory.from_config(configuration_for()).get_bases()[0])
    _fill(database.engine)
    yield database
    database.close()


def test_every_row_of_the_first_revision_is_there_after_the_last(first: Database) -> None:
    before = _rows(first.engine)
    assert all(before[name] for name in before), "a table without a row shows nothing"
    migrate(first.engine)
    after = _rows(first.engine)
    for name, rows in before.items():
        columns = rows[0].keys() - LEFT_OUT.get(name, set())
        kept = [[{column: row[column] for column in columns} for row in each] for each in (after[name], rows)]
        assert kept[0] == kept[1], name


def test_numbers_given_out_are_counted_on_from_the_rows(first: Database) -> None:
    migrate(first.engine)
    with first.read() as session:
        assert {row.name: row.last for row in session.execute(text("SELECT name, last FROM counters"))} == GIVEN_OUT


def test_the_gateway_reads_what_was_migrated_and_writes_on(first: Database) -> None:
    migrate(first.engine)
    check_schema(first.engine)
    with writing(first, lambda _: START) as work:
        token = create_api_key("operator", "secret", Role.OPERATOR, None, "test", api_keys=work.of(SqlApiKeys), now=START)[1]
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "after"}
    with TestClient(create_app(Context(first, clock=lambda: START)), base_url="http://localhost") as client:
        kept = client.get("/v1/brands/2", headers=headers).json()
        assert (kept["brand_id"], kept["name"], kept["status"]) == (2, "name 2", "active")
        body = {name: value for name, value in brand_body(3).items() if name != "brand_id"}
        made = client.post("/v1/brands", json=body, headers=headers)
        assert made.status_code == 202, made.text
    with first.read() as session:
        assert session.scalar(text("SELECT max(brand_id) FROM brands")) == 3, "the number after the last one given out"


def test_a_coalition_of_before_there_were_criteria_asks_for_none(tmp_path: Path) -> None:
    database = Database(empty_database(tmp_path))
    _upgrade(database.engine, "0019")
    _fill(database.engine)
    before = _rows(database.engine)
    migrate(database.engine)
    assert _rows(database.engine) == {**before, "admission_criteria": [], "admission_checklists": []}
    with TestClient(create_app(Context(database, clock=lambda: START)), base_url="http://localhost") as client:
        told = client.get("/v1/coalition/admission-criteria").json()
    assert (told["version"], told["criteria"], told["set_at"]) == (0, [], None)
    database.close()


def test_the_first_revision_is_refused_by_name_until_it_is_migrated(first: Database) -> None:
    before = _rows(first.engine)
    with pytest.raises(SchemaBehind, match=r"has the schema 0002, newest is \d+: run `splittally init`"):
        check_schema(first.engine)
    assert _rows(first.engine) == before


@pytest.mark.parametrize(
    ("revision", "named"),
    [
        ("0002", "root that the brand signed"),
        ("0003", "root that the brand signed"),
        ("0004", "operator's account alone could re-key"),
        ("0005", "register of its brands and members itself"),
    ],
)
def test_a_ledger_of_an_earlier_contract_is_refused_by_name_and_left_as_it_is(tmp_path: Path, revision: str, named: str) -> None:
    database = Database(empty_database(tmp_path))
    _upgrade(database.engine, revision)
    _fill(database.engine, deployed=True)
    before = _rows(database.engine)
    for attempt in (migrate, check_schema):
        with pytest.raises(EarlierLedger, match=rf"{named}.* Nothing was changed.* begin with a new data directory"):
            attempt(database.engine)
    assert _rows(database.engine) == before
    database.close()


def _upgrade(engine: Engine, revision: str) -> None:
    configuration = configuration_for()
    with engine.connect() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)


def _fill(engine: Engine, *, deployed: bool = False) -> None:
    tables = MetaData()
    tables.reflect(engine)
    filled: dict[str, list[dict[str, Any]]] = {}
    with engine.begin() as connection:
        connection.execute(text("BEGIN") if engine.dialect.name == "sqlite" else text("SELECT 1"))
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            for number in range(1, 1 + (1 if table.name == "coalition" else ROWS)):
                row = {column.name: _value(column, number) for column in table.columns} | _from_parents(table, number, filled)
                if table.name == "coalition" and not deployed:
                    row["code_hash"] = None
                given_out = {column.name for column in table.columns if column.server_default}  # the same, by PostgreSQL's sequences
                connection.execute(table.insert(), [{name: value for name, value in row.items() if name not in given_out}])
                filled.setdefault(table.name, []).append(row)


def _from_parents(table: Table, number: int, filled: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What foreign keys name: the row of the same number, or one's own table's first."""
    named: dict[str, Any] = {}
    for element in itertools.chain.from_iterable(key.elements for key in table.foreign_key_constraints):
        parents = filled.get(element.column.table.name, [])
        if element.column.table is table:
            parents = parents[:1] * number or [{element.column.name: None}]
        named[element.parent.name] = parents[number - 1][element.column.name]
    return named


def _value(column: Column[Any], number: int) -> Any:
    place = f"{column.table.name}.{column.name}"
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, Integer):
        return NUMBERS.get(place, NUMBERS.get(column.name, 0)) + number
    if isinstance(column.type, LargeBinary):
        return bytes([number]) * SIZES.get(column.name, 32)
    return WORDS.get(place, WORDS.get(column.name, f"{column.name} {number}"))


def _rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()]
            for table in tables.sorted_tables
            if table.name != "alembic_version"
        }
