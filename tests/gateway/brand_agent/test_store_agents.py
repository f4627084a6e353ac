"""A store's agent has no key of the brand's and only forwards: what its tills say comes to the ledger once, whatever is away or killed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from gateway.brand_agent.tills import revoke_till
from tests.gateway.brand_agent.conftest import WHEN, Shop
from tests.gateway.brand_agent.stores import Store, added, consent_at, issues_of, stored
from tests.gateway.brand_agent.test_redemptions import _on_ledger


@pytest.fixture(scope="module")
def opened_store(opened: Shop) -> Iterator[Store]:
    with stored(opened, opened.agent.folder.parent / "store", name="store-7") as store:
        yield store


@pytest.fixture
def store(shop: Shop, opened_store: Store) -> Store:
    """All at work, whatever the test before did to them."""
    assert shop is opened_store.shop
    if opened_store.agent.process is None:
        opened_store.agent.start()
    return opened_store


def test_sales_and_refunds_of_a_store_are_confirmed_once_under_its_till(store: Store) -> None:
    with store.agent.till() as till:
        told = till.post("/v1/purchases", json=store.shop.sale("s-1"), headers={"Till-Cashier": "ann"})
        assert (told.status_code, told.json()["points"], told.json()["promise"]) == (202, None, "estimated")
        assert till.post("/v1/payment-refunds", json=store.shop.refund("b-1", "s-1", 400)).status_code == 202
        failed = till.post("/v1/payment-refunds/b-1/failure", json={"occurred_at": WHEN["occurred_at"]})
        assert failed.status_code == 202, failed.text
        assert till.post("/v1/purchases", json=store.shop.sale("s-1")).headers["Idempotent-Replayed"] == "true"
        assert till.post("/v1/purchases", json=store.shop.sale("s-1", 999)).json()["code"] == "reference_reused"
        strangers = till.post("/v1/purchases", json=store.shop.sale("s-none", member_id=None)).json()
        assert (strangers["points"], strangers["promise"]) == (0, "promised")
    sale, refund, failure = store.ended("/v1/purchases/s-1", "/v1/payment-refunds/b-1", "/v1/items/refund_failure/b-1")
    assert [one["outcome"] for one in (sale, refund, failure)] == ["confirmed"] * 3
    assert (sale["points"], sale["promise"]) == (10, "promised")  # as the brand's agent promised
    with store.shop.agent.till() as till:
        assert till.get("/v1/purchases/s-1").json() == sale
    assert issues_of(store)["s-1"] == 1
    assert _speakers(store, "s-1") == [("store-7/till-1", "ann")]


def test_a_redemption_is_passed_and_what_follows_it_is_forwarded(store: Store) -> None:
    consent = consent_at(store)
    order_id = consent["order_id"]
    with store.agent.till() as till:
        asked = till.post("/v1/authorizations", json=consent, headers={"Till-Cashier": "José".encode("latin-1")})
        assert asked.status_code == 202, asked.text
        reservation = asked.json()["authorization"]["reservation_id"]
        assert till.post("/v1/authorizations", json=consent).json()["operation"] == asked.json()["operation"]
        assert till.post(f"/v1/authorizations/{'0x' + '55' * 32}/capture", json={"capture_id": "c", "points": 1}).status_code == 404
        _on_ledger(store.shop, reservation)
        capture = till.post(f"/v1/authorizations/{reservation}/capture", json={"capture_id": f"c-{order_id}", "points": 60})
        assert capture.status_code == 202, capture.text
        late = till.post(f"/v1/authorizations/{reservation}/void", json={"void_id": f"v-{order_id}"})
        assert late.json()["code"] == "captured"
        [captured] = store.ended(f"/v1/items/capture/c-{order_id}")
        assert captured["outcome"] == "confirmed"
        coalition = store.shop.gateway.coalition
        coalition.put_reservation(reservation, store.shop.member.member_id, 1, 100, captured=60, status="captured")
        back = till.post(f"/v1/authorizations/{reservation}/point-refunds", json={"point_refund_id": f"p-{order_id}", "points": 5})
        assert back.status_code == 202
        assert till.get("/v1/items/nothing/x").status_code == 404
    [refunded] = store.ended(f"/v1/items/point_refund/p-{order_id}")
    assert (refunded["outcome"], refunded["reason"]) == ("confirmed", None)
    with store.shop.agent.till() as till:
        assert till.get(f"/v1/items/point_refund/p-{order_id}").json() == refunded
    with closing(sqlite3.connect(store.shop.agent.folder / "agent.sqlite")) as journal:
        asked_by = journal.execute("SELECT till, cashier FROM orders WHERE order_id = ?", (order_id,)).fetchone()
    assert asked_by == ("store-7/till-1", "José")
    for kind in ("capture", "point_refund"):
        assert len([row for row in store.shop.gateway.operations(kind) if f"{kind[0]}-{order_id}" in row.body]) == 1


def test_an_order_that_never_reached_the_brands_agent_is_let_go_there_before_it_can(store: Store) -> None:
    consent = consent_at(store)
    store.shop.agent.kill()
    with store.agent.till() as till:
        for path in ("/v1/authorizations", "/v1/redemptions", "/v1/quotes"):
            away = till.post(path, json=consent_at(store) if path == "/v1/redemptions" else consent)
            assert (away.status_code, away.json()["code"], away.json()["facts"]) == (503, "gateway_away", {"outcome": "nothing_asked"})
            assert "the brand's agent" in away.json()["detail"]
        assert till.post(f"/v1/orders/{consent['order_id']}/cancel", json={"void_id": f"v-{consent['order_id']}"}).status_code == 202
        store.shop.agent.start()
        [void] = store.ended(f"/v1/items/void/v-{consent['order_id']}")
        assert (void["outcome"], void["reason"]) == ("confirmed", "nothing_authorized")
    with store.shop.agent.till() as till:
        assert till.post("/v1/authorizations", json=consent).json()["code"] == "order_let_go"


def test_a_void_lets_go_of_what_was_reserved(store: Store) -> None:
    consent = consent_at(store)
    with store.agent.till() as till:
        reservation = till.post("/v1/authorizations", json=consent).json()["authorization"]["reservation_id"]
        _on_ledger(store.shop, reservation)
        assert till.post(f"/v1/authorizations/{reservation}/void", json={"void_id": f"v-{consent['order_id']}"}).status_code == 202
    assert store.ended(f"/v1/items/void/v-{consent['order_id']}")[0]["outcome"] == "confirmed"


def test_tills_go_on_while_the_brands_agent_is_away_and_both_are_killed(store: Store) -> None:
    paths = [f"/v1/purchases/away-{number}" for number in range(13)]
    long = [{"category": "x" * 80, "amount_minor": 1}] * 1_000  # all of them together are more than a brand's agent reads at once
    store.shop.agent.kill()
    with store.agent.till() as till:
        for path in paths[:10]:
            assert till.post("/v1/purchases", json=store.shop.sale(path.rpartition("/")[2], lines=long)).status_code == 202
        status = store.status(lambda told: told["upstream"] == "away")
        assert (status["gateway"], status["alarms"][0]["code"]) == (None, "upstream_away")
        assert "agent_upstream_away 1" in till.get("/metrics").text.splitlines()
        assert till.get("/v1/upstream").json()["upstream"] == "away"
        assert till.post("/v1/day-close", json={"day": "2017-03-15", "count": 1, "gross_minor": 1}).status_code == 409
    store.agent.kill()
    store.agent.start()
    store.shop.agent.start()
    with store.agent.till() as till:
        for path in paths[10:]:
            assert till.post("/v1/purchases", json=store.shop.sale(path.rpartition("/")[2])).status_code == 202
    _until_answered(store, paths)
    store.shop.agent.kill()  # it has them, and nothing has ended
    sleep(0.3)
    store.shop.agent.start()
    assert {one["outcome"] for one in store.ended(*paths)} == {"confirmed"}
    issues = issues_of(store)
    assert {issues[path.rpartition("/")[2]] for path in paths} == {1}
    with closing(sqlite3.connect(store.agent.folder / "agent.sqlite")) as journal:
        assert journal.execute("SELECT max(faults) FROM items WHERE external_id LIKE 'away-%'").fetchone() == (0,)
    status = store.status(lambda told: not any(told["waiting"].values()))
    assert (status["upstream"], status["told_again"]) == ("there", 0)
    assert "upstream_away" not in [alarm["code"] for alarm in status["alarms"]]
    with store.agent.till() as till:
        assert till.get("/v1/upstream").json() | {"upstream_url": ""} == {"upstream": "there", "upstream_url": "", "said": None}


def test_with_a_revoked_token_all_waits_and_goes_on_with_another(store: Store) -> None:
    revoke_till(store.shop.agent.folder / "tills.json", "store-7", 0)
    with store.agent.till() as till:
        assert till.post("/v1/purchases", json=store.shop.sale("revoked-1")).status_code == 202
        status = store.status(lambda told: told["upstream"] == "away")
        assert "it refuses the store's token (not_authenticated)" in status["last_error"]
        assert till.post("/v1/quotes", json={}).json()["code"] == "gateway_refuses_key"
        assert till.get("/v1/purchases/revoked-1").json()["state"] in ("journaled", "sent")
    added(store.shop, "store-8", store.agent.folder.parent / "store-8")
    shutil.copy(store.agent.folder.parent / "store-8" / "upstream_token", store.agent.folder / "upstream_token")
    assert store.ended("/v1/purchases/revoked-1")[0]["outcome"] == "confirmed"
    assert _speakers(store, "revoked-1") == [("store-8/till-1", None)]


def test_the_same_sale_at_the_store_and_at_the_brands_agent_is_one(store: Store) -> None:
    with store.agent.till() as till, store.shop.agent.till() as brands:
        assert brands.post("/v1/purchases", json=store.shop.sale("both-1")).status_code == 202
        assert till.post("/v1/purchases", json=store.shop.sale("both-1")).status_code == 202
        assert till.post("/v1/purchases", json=store.shop.sale("both-2")).status_code == 202
        assert brands.post("/v1/purchases", json=store.shop.sale("both-3", 700)).status_code == 202
        assert till.post("/v1/purchases", json=store.shop.sale("both-3", 800)).status_code == 202
    ended = store.ended("/v1/purchases/both-1", "/v1/purchases/both-2", "/v1/purchases/both-3")
    assert [(one["outcome"], one["reason"]) for one in ended[::2]] == [("confirmed", None), ("refused", "reference_reused")]
    assert [issues_of(store)[one] for one in ("both-1", "both-2", "both-3")] == [1, 1, 1]


def test_a_day_closes_at_the_store_by_what_its_till_told_there(store: Store) -> None:
    with store.agent.till() as till:
        till.post("/v1/purchases", json=store.shop.sale("day-1", 300, business_date="2017-03-16", occurred_at="2017-03-16T09:00:00+00:00"))
        closed = till.post("/v1/day-close", json={"day": "2017-03-16", "count": 1, "gross_minor": 300})
        assert (closed.status_code, closed.json()["till"], closed.json()["agrees"]) == (200, "till-1", True)
    assert store.ended("/v1/purchases/day-1")[0]["outcome"] == "confirmed"


def test_no_till_is_forged(store: Store) -> None:
    token = (store.agent.folder / "upstream_token").read_text().strip()
    name = {"Till-Name": "till-1"}
    with store.shop.agent.till() as brands, store.shop.agent.till(token=token) as ours, store.agent.till() as till:
        for refused in (brands.post("/v1/purchases", json=store.shop.sale("f-1"), headers=name), till.get("/v1/status", headers=name)):
            assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
        for path in ("/v1/items", "/v1/items/standings"):
            assert brands.post(path, json={"items": []}).status_code == 403
        sold = {"kind": "purchase", "till": "store-1/till-1", "body": store.shop.sale("f-2")}
        assert ours.post("/v1/items", json={"items": [sold]}).status_code == 422
        assert ours.post("/v1/purchases", json=store.shop.sale("f-3"), headers={"Till-Name": "../till-1"}).status_code == 422
        [wrong, good] = ours.post("/v1/items", json={"items": [sold | {"till": "till-1", "body": {}}, sold | {"till": "till-1"}]}).json()[
            "results"
        ]
        assert (wrong["problem"]["code"], good["state"]) == ("invalid", "journaled")
        assert ours.get("/v1/status").status_code == 403
        for path in ("/sign-batch", "/v1/feed", "/v1/feed/row-1/dealt-with"):
            assert (till.post(path, json={}).status_code, till.get(path).status_code) == (404, 404), path
        assert till.get("/healthz", headers={"Authorization": ""}).json() == {"status": "ok", "brand_id": 1}
    assert _speakers(store, "f-2") == [(f"store-{_store_of(store)}/till-1", None)]


def test_what_ends_refused_is_tried_again_by_way_of_the_brands_agent(store: Store) -> None:
    gone = "0x" + "77" * 20
    with store.agent.till() as till:
        till.post("/v1/purchases", json=store.shop.sale("unknown-1", member_id=gone))
        [refused] = store.ended("/v1/purchases/unknown-1")
        assert (refused["outcome"], refused["operation_id"]) == ("refused", None)
        assert refused["detail"]  # in the gateway's words
        again = till.post("/v1/refused/purchase/unknown-1/retry", json={})
        assert again.status_code == 202, again.text
        assert store.ended("/v1/purchases/unknown-1")[0]["outcome"] == "refused"
        with store.shop.agent.till() as brands:
            assert brands.post("/v1/refused/purchase/unknown-1/dealt-with", json={"note": "never a member"}).status_code == 200
        assert till.post("/v1/refused/purchase/unknown-1/retry", json={}).json()["code"] == "not_tried_again"
        assert till.post("/v1/refused/purchase/unknown-1/dealt-with", json={"note": "never a member"}).status_code == 200


def test_what_other_tills_were_refused_is_not_a_stores_to_look_after(store: Store) -> None:
    """Whoever has its token reads none of it, marks nothing as dealt with, and tries again what its own tills said alone."""
    token, gone = (store.agent.folder / "upstream_token").read_text().strip(), "0x" + "77" * 20
    with store.shop.agent.till() as brands, store.shop.agent.till(token=token) as ours, store.agent.till() as till:
        brands.post("/v1/purchases", json=store.shop.sale("theirs-1", member_id=gone))
        store.shop.ended("/v1/purchases/theirs-1")
        till.post("/v1/purchases", json=store.shop.sale("ours-1", member_id=gone))
        till.post("/v1/purchases", json=store.shop.sale("theirs-1", member_id=gone))  # told there, too
        assert {one["outcome"] for one in store.ended("/v1/purchases/ours-1", "/v1/purchases/theirs-1")} == {"refused"}
        for path in ("/v1/refused", "/v1/feed"):
            assert (ours.get(path).status_code, brands.get(path).status_code) == (403, 200), path
        for path in ("refused/purchase/ours-1/dealt-with", "refused/purchase/theirs-1/dealt-with", "feed/row-1/dealt-with"):
            assert ours.post(f"/v1/{path}", json={"note": "nothing to see"}).json()["code"] == "not_permitted", path
        refused = ours.post("/v1/refused/purchase/theirs-1/retry", json={})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_tried_again")
        told = till.post("/v1/refused/purchase/theirs-1/retry", json={}).json()
        assert (told["code"], "at the brand's agent" in told["detail"]) == ("not_tried_again", True)
        assert ours.post("/v1/refused/purchase/ours-1/retry", json={}, headers={"Till-Name": "till-1"}).status_code == 202
        theirs = _standing(ours, "theirs-1")
        assert ("till-1" in str(theirs), theirs["outcome"]) == (False, "refused")  # nothing of who told it
        listed = {one["id"] for one in brands.get("/v1/refused").json()["refused"]}
        assert "theirs-1" in listed


def test_a_floor_limit_of_the_stores_own_holds_while_the_brands_agent_is_away(store: Store) -> None:
    store.agent.kill()
    store.agent.configure(floor_limit_minor=500, floor_limit_day_minor=700)
    store.agent.start()
    store.shop.agent.kill()
    with store.agent.till() as till:
        order = {"member_id": store.shop.member.member_id, "points": 400, "discount_minor": 400, "deadline": 2_000_000_000}
        given = till.post("/v1/authorizations", json={"order_id": "floor-1", **order})
        assert (given.status_code, given.json()["outcome"]) == (200, "own_discount")
        over = till.post("/v1/authorizations", json={"order_id": "floor-2", **order})
        assert (over.status_code, over.json()["facts"]["own_discount"]) == (503, "day_limit_used")


def _speakers(store: Store, external_id: str) -> list[tuple[str, str | None]]:
    """As the brand's agent journaled them."""
    with closing(sqlite3.connect(store.shop.agent.folder / "agent.sqlite")) as journal:
        return journal.execute("SELECT till, cashier FROM items WHERE external_id = ?", (external_id,)).fetchall()


def _standing(ours: httpx.Client, payment_id: str) -> dict[str, Any]:
    asked = {"items": [{"kind": "purchase", "id": payment_id}]}
    [found] = ours.post("/v1/items/standings", json=asked).json()["results"]
    told: dict[str, Any] = found
    return told


def _store_of(store: Store) -> int:
    live = json.loads((store.shop.agent.folder / "tills.json").read_text())["tills"]
    return max(int(name[6:]) for name, one in live.items() if name.startswith("store-") and one["revoked_at"] is None)


def _until_answered(store: Store, paths: list[str]) -> None:
    with store.agent.till() as till:
        until = monotonic() + 30
        while any(till.get(path).json()["state"] != "answered" for path in paths):
            assert monotonic() < until
            sleep(0.05)
