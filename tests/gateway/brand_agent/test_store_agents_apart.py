"""A store's agent before another server, before a brand's agent from an old backup, over TLS, and with settings that cannot be."""

from __future__ import annotations

import http.server
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.brand_agent.store_config import StoreConfig, load_any_config
from gateway.brand_signer.config import BadConfig
from tests.builders.agents import AgentBuilder, agent_settings
from tests.builders.brands import ROOT
from tests.documents.printed import blocks
from tests.gateway.brand_agent.conftest import Shop
from tests.gateway.brand_agent.stores import Store, consent_at, issues_of, stored
from tests.gateway.brand_agent.test_redemptions import _on_ledger
from tests.gateway.brand_agent.test_tls import make_authority


@pytest.fixture(scope="module")
def opened_store(opened: Shop) -> Iterator[Store]:
    with stored(opened, opened.agent.folder.parent / "store") as store:
        yield store


@pytest.fixture
def store(shop: Shop, opened_store: Store) -> Store:
    assert shop is opened_store.shop
    return opened_store


@pytest.fixture
def limited(store: Store) -> Store:
    """The brand's agent gives discounts of its own while the gateway is away; the store's was started anew, and told nothing again."""
    store.agent.kill()
    store.agent.start()
    store.shop.agent.kill()
    store.shop.agent.configure(floor_limit_minor=500, floor_limit_day_minor=5_000)
    store.shop.agent.start()
    return store


def test_what_another_server_says_ends_nothing(store: Store) -> None:
    with _answering("page") as page, _answering("nested") as nested, _answering("endless") as endless:
        itself = f"http://127.0.0.1:{store.agent.port}"
        others = {"page": page, "nested": nested, "endless": endless, "gateway": store.shop.gateway.url, "store": itself}
        for name, url in others.items():
            store.moved(url)
            with store.agent.till() as till:
                till.post("/v1/purchases", json=store.shop.sale(f"lost-{name}"))
                status = store.status(lambda told: told["upstream"] == "away", 30)
                assert status["alarms"][0]["code"] == ("upstream_away" if name == "endless" else "upstream_other"), status
                assert till.get(f"/v1/purchases/lost-{name}").json()["state"] in ("journaled", "sent")
                assert till.post("/v1/authorizations", json=consent_at(store)).json()["code"] == "gateway_away"
    store.moved(f"http://127.0.0.1:{store.shop.agent.port}")
    ended = store.ended(*[f"/v1/purchases/lost-{name}" for name in others])
    assert {one["outcome"] for one in ended} == {"confirmed"}


def test_a_store_has_no_key_and_its_settings_are_all_looked_at(store: Store, tmp_path: Path) -> None:
    assert {path.name for path in store.agent.folder.iterdir() if path.suffix not in (".log", ".lock")} <= {
        *("agent.json", "upstream_token", "tills.json", "agent.sqlite", "agent.sqlite-wal", "agent.sqlite-shm"),
    }
    config = load_any_config(store.agent.config)
    assert isinstance(config, StoreConfig)
    good = json.loads(store.agent.config.read_text())
    both = agent_settings(0, "https://gateway.example") | {"files": {"key": "key"}}
    both["agent"] |= {"upstream_url": "http://10.1.2.3", "upstream_ca": "none.pem", "ledger_rpc": "http://n", "pass_seconds": 61}
    for settings, named in (
        (both, ("agent.gateway_url is the brand's agent's", "agent.ledger_rpc is", "programme is the", "files is the", "write https://")),
        (both, ("agent.upstream_ca is for a upstream_url", "agent.upstream_ca cannot be used", "agent.pass_seconds must be from 1 to 60")),
        (good | {"agent": {"upstream_url": "ftp://x", "floor_limit_minor": 3}}, ("agent.upstream_url must be", "floor_limit_day_minor")),
        ({"agent": {"upstream_url": "http://127.0.0.1:1"}}, ("brand_id is missing", "listen is missing", "coalition is missing")),
    ):
        (tmp_path / "agent.json").write_text(json.dumps(settings))
        with pytest.raises(BadConfig) as wrong:
            load_any_config(tmp_path / "agent.json")
        assert all(each in str(wrong.value) for each in named), wrong.value


def test_what_the_document_prints_makes_a_store(tmp_path: Path) -> None:
    brand = AgentBuilder(tmp_path)
    brand.prepare("http://127.0.0.1:9", "none")
    [printed] = [block for block in blocks("docs/brand-agent.md") if block.language == "store"]
    known = {"UPSTREAM": "https://agent.example", "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = "\n".join(["set -euo pipefail", *printed.statements()])
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env={**os.environ, **known}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    made = load_any_config(tmp_path / "store-7" / "agent.json")
    assert isinstance(made, StoreConfig)
    assert made.upstream_url == "https://agent.example"
    again = subprocess.run(["bash", "-c", script], cwd=tmp_path, env={**os.environ, **known}, capture_output=True, text=True, check=False)
    assert (again.returncode, "name another --dir" in again.stderr) == (1, True)


def test_a_brands_agent_from_an_old_backup_is_told_again(store: Store) -> None:
    shop = store.shop
    with store.brands_agent_restored():
        with store.agent.till() as till:
            for number in (1, 2):
                assert till.post("/v1/purchases", json=shop.sale(f"old-{number}")).status_code == 202
        store.ended("/v1/purchases/old-1", "/v1/purchases/old-2")
    with store.agent.till() as till:
        assert till.post("/v1/payment-refunds", json=shop.refund("old-b", "old-1", 500)).status_code == 202
    ended = store.ended("/v1/payment-refunds/old-b", "/v1/purchases/old-1", "/v1/purchases/old-2")
    assert [one["outcome"] for one in ended] == ["confirmed"] * 3
    issues = issues_of(store)
    assert (issues["old-1"], issues["old-2"]) == (1, 1)
    assert store.status(lambda _: True)["told_again"] >= 2
    with shop.agent.till() as brands:
        assert brands.get("/v1/purchases/old-2").json()["outcome"] == "confirmed"


def test_points_that_were_taken_are_not_given_as_an_own_discount_by_a_brands_agent_from_a_backup(limited: Store) -> None:
    """It comes back while the gateway is away. What followed the order brings it the order."""
    shop, order = limited.shop, consent_at(limited)
    coalition, order_id = shop.gateway.coalition, order["order_id"]
    with limited.brands_agent_restored(), limited.agent.till() as till:
        reservation = till.post("/v1/authorizations", json=order).json()["authorization"]["reservation_id"]
        _on_ledger(shop, reservation)
        assert till.post(f"/v1/authorizations/{reservation}/capture", json={"capture_id": f"c-{order_id}", "points": 60}).status_code == 202
        assert limited.ended(f"/v1/items/capture/c-{order_id}")[0]["outcome"] == "confirmed"
        coalition.put_reservation(reservation, shop.member.member_id, 1, 100, captured=60, status="captured")
        shop.gateway.stop()
    _told_again(limited)
    shop.gateway.start()
    [captured] = limited.ended(f"/v1/items/capture/c-{order_id}")
    assert (captured["outcome"], captured["reason"]) == ("confirmed", None)
    assert _at_brands_agent(limited, "SELECT count(*) FROM own_discounts WHERE order_id = ?", order_id) == 0
    assert _at_brands_agent(limited, "SELECT accepted_at FROM orders WHERE order_id = ?", order_id) > 0, (
        "a gateway that loses it is told it"
    )


def test_an_own_discount_of_a_brands_agent_takes_no_points_after_its_backup(limited: Store) -> None:
    shop, order = limited.shop, consent_at(limited)
    with limited.brands_agent_restored():
        shop.gateway.stop()
        with limited.agent.till() as till:
            given = till.post("/v1/authorizations", json=order)
            assert till.post("/v1/purchases", json=shop.sale(f"with-{order['order_id']}")).status_code == 202
        assert (given.status_code, given.json()["outcome"]) == (200, "own_discount")
        with closing(sqlite3.connect(limited.agent.folder / "agent.sqlite")) as journal:
            accepted = journal.execute("SELECT accepted_at FROM orders WHERE order_id = ?", (order["order_id"],)).fetchone()
        assert accepted == (0,)
        shop.gateway.start()
        limited.ended(f"/v1/purchases/with-{order['order_id']}")
    _told_again(limited)
    limited.ended(f"/v1/purchases/with-{order['order_id']}")
    assert [row for row in shop.gateway.operations("authorize") if order["order_id"] in row.body] == []


def test_over_tls_with_the_brands_own_authority(store: Store, tmp_path: Path) -> None:
    shop, own = store.shop, make_authority(tmp_path / "own")
    store.agent.kill()
    shop.agent.kill()
    shop.agent.configure(tls_certificate=str(own.parent / "tls.pem"), tls_key=str(own.parent / "tls.key"))
    shop.agent.start()
    url = f"https://127.0.0.1:{shop.agent.port}"
    with stored(shop, tmp_path / "store", "--ca", str(own), "--upstream", url, name="store-2") as apart:
        with apart.agent.till() as till:
            assert till.post("/v1/purchases", json=shop.sale("tls-1")).status_code == 202
            assert till.post("/v1/quotes", json={"order_id": "o", "member_id": shop.member.member_id, "points": 1}).status_code != 503
        assert apart.ended("/v1/purchases/tls-1")[0]["outcome"] == "confirmed"
        (apart.agent.folder / "ca.pem").write_bytes(make_authority(tmp_path / "strange").read_bytes())
        apart.agent.kill()
        apart.agent.start()
        with apart.agent.till() as till:
            till.post("/v1/purchases", json=shop.sale("tls-2"))
            assert "its TLS certificate is not valid here" in str(apart.status(lambda told: told["alarms"])["last_error"])


def _told_again(store: Store) -> None:
    """By what it has to tell next, the store's agent finds that the brand's one has forgotten something."""
    before = store.status(lambda _: True)["told_again"]
    with store.agent.till() as till:
        assert till.post("/v1/purchases", json=store.shop.sale(f"finds-{before}")).status_code == 202
    store.status(lambda told: told["told_again"] > before)


def _at_brands_agent(store: Store, asked: str, order_id: str) -> Any:
    with closing(sqlite3.connect(store.shop.agent.folder / "agent.sqlite")) as journal:
        return journal.execute(asked, (order_id,)).fetchone()[0]


@contextmanager
def _answering(what: str) -> Iterator[str]:
    content = {"nested": b'{"brand_id":' * 50_000, "page": b"<html>nothing here</html>"}.get(what, b"{")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)
            while what == "endless":
                try:
                    self.wfile.write(b" " * 1_000_000)
                except OSError:
                    return

        def log_message(self, *_: Any) -> None:
            """Nothing of it is printed."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
