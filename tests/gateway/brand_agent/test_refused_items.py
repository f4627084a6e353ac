"""What was refused has a way out: tried again, or marked as dealt with by somebody whom the journal names."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey
from sqlalchemy import update

from gateway.brand_agent.follower import Ending, OutcomeFollower
from gateway.brand_agent.gateway_client import GatewayAnswer
from gateway.brand_agent.item import Item, ItemKind, NewItem, Outcome, Speaker
from gateway.brand_agent.outbox import add, find, mark, take
from gateway.brand_agent.parcels import Parcel, marks_of
from gateway.brand_agent.till_journal import TillJournal
from gateway.ledger.members import member_id
from gateway.rounds.tables import OperationRow
from gateway.values.ids import Hash
from tests.builders.offline_coalition import COALITION_ID, START
from tests.gateway.brand_agent.conftest import Shop
from tests.gateway.brand_signer.brand_books import BRAND, DOMAIN


def test_a_sale_refused_at_the_gateway_is_tried_again_once_it_can_be(shop: Shop) -> None:
    key = PrivateKey((77).to_bytes(32)).public_key.to_canonical_address()
    stranger = str(member_id(Hash.parse(COALITION_ID), 1, key, (77).to_bytes(32)))
    with shop.agent.till() as till:
        assert till.post("/v1/purchases", json=shop.sale("out-1", member_id=stranger)).status_code == 202
        assert shop.ended("/v1/purchases/out-1")[0]["reason"] == "not_found"
        assert _listed(till)["out-1"]["reason"] == "not_found"
        assert shop.gateway.coalition.shopper(77).member_id == stranger
        again = till.post("/v1/refused/purchase/out-1/retry", json={}, headers={"Till-Cashier": "eve"})
        assert (again.status_code, again.json()["outcome"]) == (202, None)
        assert shop.ended("/v1/purchases/out-1")[0]["outcome"] == "confirmed"
        assert "out-1" not in _listed(till)
        twice = till.post("/v1/refused/purchase/out-1/retry", json={})
        assert (twice.status_code, twice.json()["code"]) == (409, "not_refused")
    assert ("retry", "till-1", "eve", "not_found", "") in _decisions(shop)


def test_an_operation_that_nobody_signed_is_tried_again_by_the_gateway(shop: Shop) -> None:
    with shop.agent.till() as till:
        till.post("/v1/purchases", json=shop.sale("out-2"))
        _refused(shop, "out-2", "signer_refused: unknown_sale")
        first = _listed(till)["out-2"]["operation_id"]
        shop.gateway.stop()
        away = till.post("/v1/refused/purchase/out-2/retry", json={})
        assert (away.status_code, away.json()["code"]) == (503, "gateway_away")
        assert "out-2" in _listed(till)
        shop.gateway.start()
        assert till.post("/v1/refused/purchase/out-2/retry", json={}).status_code == 202
        ended = shop.ended("/v1/purchases/out-2")[0]
    assert (ended["outcome"], ended["operation_id"]) == ("confirmed", first)


def test_what_cannot_be_tried_again_is_marked_with_a_word_of_how_it_was_put_right(shop: Shop) -> None:
    with shop.agent.till() as till:
        till.post("/v1/purchases", json=shop.sale("out-3"))
        _refused(shop, "out-3", "IssueRefused")
        no = till.post("/v1/refused/purchase/out-3/retry", json={})
        assert (no.status_code, no.json()["code"]) == (409, "not_tried_again")
        assert till.post("/v1/refused/purchase/out-3/dealt-with", json={"note": ""}).status_code == 422
        assert till.post("/v1/refused/purchase/none/dealt-with", json={"note": "n"}).status_code == 404
        assert till.post("/v1/refused/sale/out-3/dealt-with", json={"note": "n"}).status_code == 404
        refused_before = till.get("/v1/status").json()["refused"]
        assert till.post("/v1/refused/purchase/out-3/dealt-with", json={"note": "told again as out-3b"}).json()["outcome"] == "refused"
        assert till.get("/v1/status").json()["refused"] == refused_before - 1
        assert "out-3" not in _listed(till)
        for act, body in (("retry", {}), ("dealt-with", {"note": "again"})):
            assert till.post(f"/v1/refused/purchase/out-3/{act}", json=body).json()["code"] == "dealt_with"
    assert ("dealt_with", "till-1", None, "IssueRefused", "told again as out-3b") in _decisions(shop)


def test_what_the_gateway_says_of_a_refusal_is_shown_with_the_item_until_it_is_tried_again(shop: Shop) -> None:
    with shop.agent.till() as till:
        till.post("/v1/purchases", json=shop.sale("out-6"))
        shop.ended("/v1/purchases/out-6")
        till.post("/v1/payment-refunds", json=shop.refund("out-6-R", "out-6", 2_200))
        ended = shop.ended("/v1/payment-refunds/out-6-R")[0]
        assert (ended["reason"], ended["detail"]) == ("wrong_state", "refunds of 2200 would exceed the 1000 that were paid")
        assert _listed(till)["out-6-R"]["detail"] == ended["detail"]
        late = shop.sale("out-7", occurred_at="2031-03-15T10:00:00+00:00", business_date="2031-03-15")
        till.post("/v1/purchases", json=late)
        ended = shop.ended("/v1/purchases/out-7")[0]
        assert (ended["reason"], "occurred_at" in ended["detail"]) == ("invalid", True), ended
        again = till.post("/v1/refused/purchase/out-7/retry", json={}).json()
        assert (again["reason"], again["detail"]) == (None, None)


@pytest.mark.parametrize(
    ("told", "kept"),
    [("a\nb\u202ec", "a?b?c"), ("x" * 9_000, "x" * 500 + "…"), (7, None), ("", None)],
)
def test_what_a_gateway_says_is_bounded_and_printable(told: Any, kept: str | None) -> None:
    assert GatewayAnswer(409, {"code": "wrong_state", "detail": told}).detail == kept


def test_a_journal_of_before_opens_and_shows_what_it_has(tmp_path: Any) -> None:
    path = tmp_path / "agent.sqlite"
    with closing(TillJournal(path, DOMAIN, BRAND)) as journal:
        _sent(journal)
    with closing(sqlite3.connect(path)) as before:
        before.execute("ALTER TABLE items DROP COLUMN detail")
    with closing(TillJournal(path, DOMAIN, BRAND)) as journal:
        assert (_of(journal).external_id, _of(journal).detail) == ("p-1", None)


def test_a_sale_has_ended_once_all_that_came_of_it_has(tmp_path: Any) -> None:
    """A sale of two awards, of which the ledger refuses the second."""
    known: dict[str, Ending] = {"op-1": (Outcome.CONFIRMED, None), "op-2": (None, "not_yet: unknown_sale")}

    class Told:
        def of(self, items: Sequence[Item]) -> Mapping[str, Ending]:
            return {one: known[one] for item in items for one in item.operation_ids}

    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, BRAND)) as journal:
        item, follower = _sent(journal), OutcomeFollower(journal, Told())
        answer = {"results": [{"operation": {"operation_id": "op-1", "status": "accepted"}, "operation_ids": ["op-1", "op-2"]}]}
        journal.write(lambda connection: mark(connection, marks_of(Parcel(ItemKind.PURCHASE, [item]), GatewayAnswer(201, answer)), 0))
        assert _of(journal).operation_ids == ("op-1", "op-2")
        assert (follower.turn(), _of(journal).reason) == (0, "not_yet: unknown_sale")
        known["op-2"] = Outcome.REFUSED, "IssueRefused"
        assert follower.turn() == 1
        assert (_of(journal).outcome, _of(journal).reason) == (Outcome.REFUSED, "IssueRefused")
        follower._reader.close()


def _sent(journal: TillJournal) -> Item:
    new = NewItem(ItemKind.PURCHASE, "p-1", "", "{}", "payment:p-1")
    journal.write(lambda connection: add(connection, new, Speaker("till-1", None), 0, lambda _: True))
    [item] = journal.write(lambda connection: take(connection, ItemKind.PURCHASE, 0, 1_000, troubled=False))
    return item


def _of(journal: TillJournal) -> Item:
    found = journal.write(lambda connection: find(connection, ItemKind.PURCHASE, "p-1"))
    assert found is not None
    return found


def test_a_refund_of_points_that_are_spent_asks_for_nobody(shop: Shop) -> None:
    with shop.agent.till() as till:
        till.post("/v1/purchases", json=shop.sale("out-5"))
        shop.ended("/v1/purchases/out-5")
        till.post("/v1/payment-refunds", json=shop.refund("out-5-R", "out-5", 400))
        _refused(shop, "out-5-R", "nothing_left_to_claw_back", "/v1/payment-refunds")
        assert "out-5-R" not in _listed(till)


def _refused(shop: Shop, payment_id: str, reason: str, path: str = "/v1/purchases") -> None:
    """The ledger's side ends every open operation so."""
    shop.arrived(f"{path}/{payment_id}")
    with shop.gateway.coalition.database.write() as session:
        ended = {"status": "refused", "reason": reason, "finished_at": START}
        session.execute(update(OperationRow).where(OperationRow.status == "accepted").values(**ended))
    assert shop.ended(f"{path}/{payment_id}")[0]["outcome"] == "refused"


def _listed(till: Any) -> dict[str, Any]:
    found, after = {}, 0
    while after is not None:
        page = till.get("/v1/refused", params={"after": after}).json()
        found |= {one["id"]: one for one in page["refused"]}
        after = page["next"]
    return found


def _decisions(shop: Shop) -> set[tuple[Any, ...]]:
    with closing(sqlite3.connect(shop.agent.folder / "agent.sqlite")) as journal:
        return set(journal.execute("SELECT act, till, cashier, reason, note FROM decisions"))
