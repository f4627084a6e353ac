"""A store's agent before a brand's, on a real ledger: the brand's agent signs what the store's tills told, and the audit finds it good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.builders.agents import AgentBuilder
from tests.end_to_end.served_shop import served_shop
from tests.gateway.brand_agent.stores import added
from tests.on_postgresql import SERVER

pytestmark = [pytest.mark.deep, pytest.mark.skipif(bool(SERVER), reason="the ledger's entries are read from the SQLite file")]


def test_what_a_stores_till_tells_stands_on_the_ledger_once(tmp_path: Path) -> None:
    with served_shop(tmp_path / "shop") as shop:
        agent = AgentBuilder(tmp_path / "store")
        added(shop, "store-1", agent.folder)
        agent.add_till("till-1")
        agent.start()
        store = replace(shop, agent=agent, told=[])
        try:
            store.sell("p-1", "p-2")
            store.refund("b-1", "p-1")
            assert {one["outcome"] for one in store.ended().values()} == {"confirmed"}
            captured, voided = store.authorize("o-1", 40), store.authorize("o-2", 30)
            shop.agent.kill()
            of_captured = f"/v1/authorizations/{captured}"
            store.tell(f"{of_captured}/capture", {"capture_id": "c-1", "points": 40}, "/v1/items/capture/c-1")
            store.tell(f"/v1/authorizations/{voided}/void", {"void_id": "v-1"}, "/v1/items/void/v-1")
            store.sell("p-3")
            agent.kill()
            shop.agent.start()
            agent.start()
            assert {path: one["reason"] for path, one in store.ended().items() if one["outcome"] != "confirmed"} == {}
            store.tell(f"{of_captured}/point-refunds", {"point_refund_id": "r-1", "points": 10}, "/v1/items/point_refund/r-1")
            assert store.ended()["/v1/items/point_refund/r-1"]["outcome"] == "confirmed"
            store.all_quiet()
        finally:
            agent.kill()
        keys = {"key", "reference_secret", "gateway_key", "signed.jsonl", "token"}
        assert {path.name for path in agent.folder.iterdir()}.isdisjoint(keys)
        assert shop.counted() == {"issue": 3, "clawback": 1, "authorize": 2, "capture": 1, "void": 1, "point_refund": 1}
        shop.audit()
