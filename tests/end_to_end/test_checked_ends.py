"""An agent with a replica of its own ends an item only where that replica's ledger has it, whatever the gateway says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.builders.agents import await_answer, free_port
from tests.end_to_end.served_shop import ServedShop, served_shop
from tests.node.replica.processes import RunningReplica, replica_of
from tests.on_postgresql import SERVER

pytestmark = pytest.mark.skipif(bool(SERVER), reason="the gateway's word is changed in its SQLite file")


def test_a_sale_ends_once_the_brands_own_replica_shows_it(tmp_path: Path) -> None:
    port = free_port()
    with served_shop(tmp_path / "shop", ledger_rpc=f"http://127.0.0.1:{port}") as shop:
        arguments = (*replica_of(shop.coalition.node.url), "--port", str(port))
        shop.sell("p-1", "p-2")
        _await_reason(shop, "p-1", "awaits_ledger")
        assert "ledger_silent" in _alarms(shop)
        with RunningReplica(tmp_path / "replica", arguments):
            assert {one["outcome"] for one in shop.ended().values()} == {"confirmed"}
            shop.refund("r-1", "p-1")
            before = shop.authorize("o-1", 40)
            shop.tell(f"/v1/authorizations/{before}/capture", {"capture_id": "c-1", "points": 30})
            shop.all_quiet()
            shop.tell(f"/v1/authorizations/{before}/point-refunds", {"point_refund_id": "pr-1", "points": 10})
            shop.all_quiet()
            assert not {one for one in _alarms(shop) if one.startswith("ledger")}
        shop.sell("p-3")
        _await_reason(shop, "p-3", "awaits_ledger")
        place = _place(shop, "p-3")
        _move(shop, "p-3", _place(shop, "p-2"))  # the gateway says that it stands where another sale does
        with RunningReplica(tmp_path / "replica", arguments):
            _await_reason(shop, "p-3", "ledger_disagrees")
            assert "ledger_disagrees" in _alarms(shop)
            _move(shop, "p-3", (*place[:2], place[2] + 1_000))  # in a block that the replica has not reached
            _await_reason(shop, "p-3", "awaits_ledger")
            assert _behind_since(shop) is not None
            _move(shop, "p-3", place)
            with shop.agent.till() as till:
                assert await_answer(till, "/v1/purchases/p-3")["outcome"] == "confirmed"
            assert not {one for one in _alarms(shop) if one.startswith("ledger")}
            assert _behind_since(shop) is None


def _behind_since(shop: ServedShop) -> float | None:
    with shop.agent.till() as till:
        since: float | None = till.get("/v1/status").json()["ledger"]["behind_since"]
        return since


def _alarms(shop: ServedShop) -> set[str]:
    with shop.agent.till() as till:
        return {one["code"] for one in till.get("/v1/status").json()["alarms"]}


def _await_reason(shop: ServedShop, payment_id: str, reason: str) -> None:
    until = monotonic() + 60
    with shop.agent.till() as till:
        while (stands := till.get(f"/v1/purchases/{payment_id}").json())["reason"] != reason:
            assert monotonic() < until, stands
            sleep(0.1)
        assert stands["outcome"] is None


def _place(shop: ServedShop, payment_id: str) -> tuple[Any, ...]:
    with closing(sqlite3.connect(shop.database)) as database:
        found = "SELECT batch_id, entry_index, block_number FROM operations WHERE kind = 'issue' AND body LIKE ?"
        row: tuple[Any, ...] = database.execute(found, (f'%"payment_id":"{payment_id}"%',)).fetchone()
        return row


def _move(shop: ServedShop, payment_id: str, place: tuple[Any, ...]) -> None:
    with closing(sqlite3.connect(shop.database)) as database:
        database.execute("UPDATE operations SET batch_id = NULL WHERE batch_id = ? AND entry_index = ?", place[:2])
        moved = "UPDATE operations SET batch_id = ?, entry_index = ?, block_number = ? WHERE kind = 'issue' AND body LIKE ?"
        database.execute(moved, (*place, f'%"payment_id":"{payment_id}"%'))
        database.commit()
