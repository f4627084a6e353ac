"""The feed on a real shop database, SQLite and PostgreSQL: late, changed and vanished rows, before and after they were signed."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from gateway.brand_agent.config import FeedConfig, load_agent_config
from gateway.brand_agent.feed import Feed
from gateway.brand_agent.feed_lines import FeedLines, deal_with, problems
from gateway.brand_agent.item import Speaker
from gateway.brand_agent.journal_register import JournalRegister
from gateway.brand_agent.record_lines import RecordLines
from gateway.brand_agent.shop_database import ShopDatabaseFails
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_signer.books import Books
from gateway.brand_signer.config import BadConfig
from gateway.brand_signer.journal import Journal
from gateway.brand_signer.key import Key
from gateway.brand_signer.register_writer import refund_record, sale_record
from gateway.brand_signer.sign_batch import BatchSigner
from scripts import postgresql
from tests.builders.agents import AgentBuilder, agent_settings
from tests.gateway.brand_signer.brand_books import BRAND, DOMAIN, LATER, MEMBER, PROGRAMME, SECRET, SOLD_AT, clawback, issue, refusals

QUERY = "SELECT id, content, changed_at FROM sales WHERE changed_at >= :since ORDER BY changed_at, id LIMIT :limit"
TILL = Speaker("till-1", None)


@pytest.fixture(scope="module")
def server() -> Iterator[str | None]:
    programs = postgresql.find_programs()
    if programs is None:
        yield None
        return
    running = postgresql.PostgresServer(programs)
    running.start()
    try:
        yield running.url.replace("postgresql://", "postgresql+psycopg://")
    finally:
        running.remove()


@dataclass
class FedShop:
    """A shop's database, and the agent's parts over it."""

    url: str
    folder: Path
    feed: Feed
    journal: TillJournal
    lines: RecordLines
    signer: BatchSigner
    register: JournalRegister

    def write(self, statement: str, **values: Any) -> None:
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(text(statement), values)
        engine.dispose()

    def put(self, row_id: str, content: dict[str, Any] | str, changed_at: float) -> None:
        """The row as it is from then on."""
        said = content if isinstance(content, str) else json.dumps(content)
        self.write("DELETE FROM sales WHERE id = :id", id=row_id)
        self.write("INSERT INTO sales VALUES (:id, :content, :changed_at)", id=row_id, content=said, changed_at=changed_at)

    def take_away(self, row_id: str) -> None:
        self.write("DELETE FROM sales WHERE id = :id", id=row_id)

    def read(self) -> int:
        return self.feed.turn(whole=True)

    def signs(self, number: int, payment_id: str, points: int) -> list[str]:
        """Why the issue is refused; nothing where it is signed."""
        return [reason for _, reason in refusals(self.signer, number, [issue(payment_id, points)])]

    def problems(self) -> dict[str, str]:
        return {one.id: one.problem for one in self.journal.write(problems)}


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, server: str | None, tmp_path: Path) -> Iterator[FedShop]:
    if request.param == "postgresql" and server is None:
        pytest.skip("there is no PostgreSQL on this machine")
    url = f"sqlite:///{tmp_path / 'shop.sqlite'}" if request.param == "sqlite" else str(server)
    with fed_shop(url, tmp_path) as opened:
        yield opened


@pytest.fixture
def small(tmp_path: Path) -> Iterator[FedShop]:
    """Pages of three rows."""
    with fed_shop(f"sqlite:///{tmp_path / 'shop.sqlite'}", tmp_path, rows_max=3, query_seconds=1) as opened:
        yield opened


@contextmanager
def fed_shop(url: str, folder: Path, **changes: Any) -> Iterator[FedShop]:
    given: dict[str, Any] = {"query": QUERY, "every_seconds": 1, "overlap_seconds": 600, "rows_max": 1_000, "query_seconds": 10}
    config, lines = FeedConfig(url=lambda: url, **(given | changes)), RecordLines(SECRET)
    journal, signed = TillJournal(folder / "agent.sqlite", DOMAIN, BRAND), Journal(folder / "signed.jsonl", DOMAIN, BRAND)
    register = JournalRegister(journal, lines, folder / "sales.jsonl")
    signer = BatchSigner(Key(b"\x01" * 32), DOMAIN, BRAND, Books(PROGRAMME, register, SECRET, 0, lambda: LATER), signed)
    opened = FedShop(url, folder, Feed(config, journal, FeedLines(lines, BRAND), signer), journal, lines, signer, register)
    opened.write("DROP TABLE IF EXISTS sales")
    opened.write("CREATE TABLE sales (id VARCHAR PRIMARY KEY, content VARCHAR, changed_at DOUBLE PRECISION)")
    try:
        yield opened
    finally:
        register.close()
        journal.close()
        signed.close()


def sold(payment_id: str, gross_minor: int = 1_000) -> dict[str, Any]:
    return sale_record(payment_id, str(MEMBER), SOLD_AT, gross_minor, gross_minor // 10, 0)


def test_a_sale_is_signed_once_its_row_is_there(shop: FedShop) -> None:
    assert shop.signs(1, "p-1", 9) == ["unknown_sale"]
    shop.put("row-1", sold("p-1"), 1_000)
    shop.put("row-2", refund_record("b-1", "p-1", 1_000), 1_001)
    assert shop.read() == 2
    assert shop.signs(1, "p-1", 9) == []
    assert refusals(shop.signer, 2, [clawback("b-1", "p-1", 9)]) == []
    assert shop.read() == 0
    assert shop.problems() == {}


def test_a_row_that_was_committed_late_is_found_in_the_overlap_and_no_earlier_one_is(shop: FedShop) -> None:
    shop.put("row-1", sold("p-1"), 10_000)
    shop.read()
    shop.put("late", sold("p-2"), 9_401)
    shop.put("too-late", sold("p-3"), 9_399)
    assert shop.feed.turn(whole=False) == 0  # which looks back a moment alone
    assert shop.read() == 1
    assert (shop.signs(1, "p-2", 9), shop.signs(2, "p-3", 9)) == ([], ["unknown_sale"])


def test_what_a_row_says_last_counts_as_long_as_nothing_is_signed(shop: FedShop) -> None:
    shop.put("row-1", sold("p-1", 1_000), 1_000)
    shop.read()
    shop.put("row-1", sold("p-1", 2_000), 1_001)
    assert shop.read() == 1
    assert shop.signs(1, "p-1", 9) == ["wrong_points"]
    assert shop.signs(1, "p-1", 18) == []


def test_a_row_that_changes_after_it_was_signed_is_an_alarm_and_never_signed_twice(shop: FedShop) -> None:
    shop.put("row-1", sold("p-1", 1_000), 1_000)
    shop.read()
    assert shop.signs(1, "p-1", 9) == []
    shop.put("row-1", sold("p-1", 2_000), 1_001)
    shop.read()
    assert shop.problems() == {"row-1": "feed_changed_after_signing"}
    assert shop.signs(2, "p-1", 18) == ["already_signed"]
    sale = shop.register.sale("p-1")
    assert sale is not None
    assert sale.gross_minor == 1_000  # what was signed stands, for its refunds too
    shop.put("row-1", sold("p-1", 1_000), 1_002)  # put right
    shop.read()
    assert shop.problems() == {}


def test_for_a_row_that_is_gone_nothing_is_signed_and_once_signed_it_is_an_alarm(shop: FedShop) -> None:
    for number in (1, 2):
        shop.put(f"row-{number}", sold(f"p-{number}"), 1_000 + number)
    shop.read()
    assert shop.signs(1, "p-1", 9) == []
    for number in (1, 2):
        shop.take_away(f"row-{number}")
    assert shop.read() == 2
    assert shop.signs(2, "p-2", 9) == ["unknown_sale"]
    assert shop.problems() == {"row-1": "feed_gone_after_signing"}
    assert shop.read() == 0
    assert shop.journal.write(lambda connection: deal_with(connection, "row-1", TILL, "canceled by hand"))
    assert not shop.journal.write(lambda connection: deal_with(connection, "row-1", TILL, "again"))
    assert shop.problems() == {}
    shop.put("row-2", sold("p-2"), 1_003)  # and back again
    assert shop.read() == 1
    assert shop.signs(2, "p-2", 9) == []


def test_what_a_till_has_said_is_not_changed_or_taken_away_by_the_feed(shop: FedShop) -> None:
    shop.journal.write(lambda connection: shop.lines.add(connection, sold("p-1")))
    shop.put("row-1", sold("p-1"), 1_000)
    shop.read()
    shop.put("row-1", sold("p-1", 2_000), 1_001)
    shop.read()
    assert shop.problems() == {"row-1": "feed_differs"}
    shop.take_away("row-1")
    shop.read()
    assert shop.signs(1, "p-1", 9) == []


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "null", '{"type": "sale"}', '{"type": "opening_file"}', "[" * 5_000, json.dumps(sold("x" * 70_000)), '{"type": []}'],
)
def test_a_row_that_is_no_line_is_an_alarm_and_holds_up_no_other(small: FedShop, content: str) -> None:
    small.put("row-1", content, 1_000)
    small.put("row-2", sold("p-2"), 1_001)
    small.read()
    assert small.problems() == {"row-1": "feed_unreadable"}
    assert small.signs(1, "p-2", 9) == []
    small.put("row-1", sold("p-1"), 1_002)
    small.read()
    assert (small.problems(), small.signs(2, "p-1", 9)) == ({}, [])


@pytest.mark.parametrize(
    "content",
    [
        sold("evidence:2:p-1"),
        refund_record("evidence:2:b-1", "p-1", 100),
        refund_record("b-1", "evidence:2:p-1", 100),
    ],
)
def test_what_another_brands_evidence_says_is_not_the_shops_to_say(small: FedShop, content: dict[str, Any]) -> None:
    small.put("row-1", content, 1_000)
    small.read()
    assert small.problems() == {"row-1": "feed_unreadable"}
    small.journal.write(lambda connection: small.lines.add(connection, sold("evidence:2:p-1", 7_000)))  # the evidence itself comes after
    small.read()
    assert small.signs(1, "evidence:2:p-1", 63) == []


def test_many_rows_come_in_pages_and_too_many_of_one_moment_are_named(small: FedShop) -> None:
    for number in range(10):
        small.put(f"row-{number}", sold(f"p-{number}"), 1_000 + number // 2)
    assert small.read() == 10
    for number in range(10, 14):
        small.put(f"row-{number}", sold(f"p-{number}"), 2_000)
    with pytest.raises(ShopDatabaseFails, match="rows_max"):
        small.read()


def test_nothing_is_written_through_the_query_and_its_time_is_bounded(shop: FedShop) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT CAST(i AS VARCHAR) AS id, 'x' AS content, 1 AS changed_at"
    )
    endless += " FROM n WHERE i < 0 AND :since = :since AND :limit > 0"
    began = time.monotonic()
    with pytest.raises(ShopDatabaseFails):
        _asked(shop, endless, 1)
    assert time.monotonic() - began < 20
    if not shop.url.startswith("sqlite"):
        shop.write("CREATE OR REPLACE FUNCTION wipe() RETURNS text AS 'DELETE FROM sales; SELECT ''x''' LANGUAGE sql")
        with pytest.raises(ShopDatabaseFails, match="read-only"):
            _asked(shop, "SELECT wipe() AS id, '' AS content, 1 AS changed_at WHERE :since = :since AND :limit > 0", 5)


def _asked(shop: FedShop, query: str, seconds: int) -> None:
    config = FeedConfig(lambda: shop.url, query, 1, 600, 10, seconds)
    Feed(config, shop.journal, FeedLines(shop.lines, BRAND), shop.signer).turn(whole=True)


def test_a_database_that_fails_is_tried_again_later_each_time(small: FedShop) -> None:
    place = small.folder / "shop.sqlite"
    place.rename(small.folder / "away")
    pauses = []
    for _ in range(8):
        with pytest.raises(ShopDatabaseFails) as failed:
            small.read()
        pauses.append(small.feed._note_failure(str(failed.value)))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert small.feed.standing.failing_since is not None
    (small.folder / "away").rename(place)
    small.read()
    assert small.feed.standing.failing_since is None


def test_all_that_is_wrong_with_the_feeds_settings_is_named_at_once(tmp_path: Path) -> None:
    settings = agent_settings(0, "http://127.0.0.1:1")
    settings["agent"]["feed"] = {"query": "DELETE FROM sales", "every_seconds": 0, "rows_max": 10**9, "forward": True}
    config = tmp_path / "agent.json"
    config.write_text(json.dumps(settings))
    with pytest.raises(BadConfig) as wrong:
        load_agent_config(config)
    for named in (
        "database_url_file or database_url_env",
        "query must be one SELECT",
        "every_seconds must",
        "rows_max must",
        "forward is no setting",
    ):
        assert f"agent.feed.{named}" in str(wrong.value)


def test_the_password_is_asked_for_in_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    settings = agent_settings(0, "http://127.0.0.1:1")
    settings["agent"]["feed"] = {"database_url_file": "feed_url", "query": QUERY}
    (tmp_path / "agent.json").write_text(json.dumps(settings))
    (tmp_path / "feed_url").write_text("sqlite:///nowhere.sqlite")
    (tmp_path / "feed_url").chmod(0o644)
    with fed_shop(f"sqlite:///{tmp_path / 'shop.sqlite'}", tmp_path) as shop:
        feed = load_agent_config(tmp_path / "agent.json").feed
        assert feed is not None
        for mode, reason in ((0o644, "may be read by others"), (0o600, "unable to open")):
            (tmp_path / "feed_url").chmod(mode)
            with pytest.raises(ShopDatabaseFails, match=reason):
                Feed(feed, shop.journal, FeedLines(shop.lines, BRAND), shop.signer).turn(whole=True)


def test_an_agent_reads_its_feed_by_itself_and_says_what_is_wrong(tmp_path: Path) -> None:
    """The program itself, asked as the gateway asks it."""
    agent, place = AgentBuilder(tmp_path / "agent"), tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(place)) as database:
        database.execute("CREATE TABLE sales (id TEXT PRIMARY KEY, content TEXT, changed_at REAL)")
    feed = {"database_url_env": "SHOP_DATABASE", "query": QUERY, "every_seconds": 1}
    settings = agent_settings(0, "http://127.0.0.1:9")
    agent.prepare("http://127.0.0.1:9", "none", agent=settings["agent"] | {"feed": feed})
    agent.environment = {"SHOP_DATABASE": f"sqlite:///{place}"}
    agent.start()
    try:
        with agent.till() as till, closing(sqlite3.connect(place)) as database:
            database.execute("INSERT INTO sales VALUES ('row-1', 'none', 1000.5)")
            database.commit()
            _until(lambda: "feed_unreadable" in {one["code"] for one in till.get("/v1/status").json()["alarms"]})
            assert [one["id"] for one in till.get("/v1/feed").json()["problems"]] == ["row-1"]
            assert till.post("/v1/feed/row-1/dealt-with", json={"note": "a test row"}).status_code == 200
            assert till.post("/v1/feed/row-1/dealt-with", json={"note": "again"}).status_code == 404
            assert till.get("/v1/feed").json() == {"problems": []}
            place.rename(tmp_path / "away")
            _until(lambda: "feed_failing" in {one["code"] for one in till.get("/v1/status").json()["alarms"]})
            assert "agent_feed_failing 1" in till.get("/metrics").text
            assert till.post("/v1/purchases", json={}).status_code == 422  # tills are served meanwhile
    finally:
        agent.kill()


def _until(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.1)
