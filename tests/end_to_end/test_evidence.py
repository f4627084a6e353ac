"""Another issuer's bonus for a shop's sales, on a real ledger: by the shop's evidence, once, and back with the money that goes back."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic, sleep

import pytest

from gateway.brand_agent.tills import Scope
from gateway.brand_signer.key import Key
from gateway.ledger.entries import Clawback, Entry, Issue, decode_entry
from gateway.ledger.framing import unpack_entries
from gateway.secret_files import make_secret, read_or_make
from tests.builders.agents import await_answer
from tests.builders.evidence import partner
from tests.end_to_end.served_shop import ServedShop, agent_of, served_shop
from tests.on_postgresql import SERVER

pytestmark = [pytest.mark.deep, pytest.mark.skipif(bool(SERVER), reason="the ledger's entries are read from the SQLite file")]


def test_a_coalition_bonus_is_issued_and_clawed_back_by_evidence(tmp_path: Path) -> None:
    with served_shop(tmp_path / "shop", (1, 2)) as shop:
        key = Key(read_or_make(shop.agent.folder / "evidence_key"))
        issuer = agent_of(shop.coalition, 2, shop.port, partners=[partner(key, budget_points=250)])
        issuer.add_till("brand-1", Scope.EVIDENCE)
        make_secret(shop.agent.folder / "evidence_token", issuer.tokens["brand-1"])
        issuer.start()
        try:
            shop.agent.kill()
            to = {"brand_id": 2, "url": f"http://127.0.0.1:{issuer.port}", "token": "evidence_token"}
            shop.agent.configure(evidence={"to": [to]})
            shop.agent.start()
            shop.sell("p-1", "p-2", "p-3")
            shop.refund("b-1", "p-1")
            _await_told(shop)
            with issuer.till() as till:
                paths = "/v1/purchases/evidence:1:p-1", "/v1/purchases/evidence:1:p-2", "/v1/payment-refunds/evidence:1:b-1"
                ended = [await_answer(till, path) for path in paths]
                assert till.get("/v1/purchases/evidence:1:p-3").status_code == 404, "the third is over the budget, and refused whole"
                [told] = till.get("/v1/status").json()["partners"]
            assert {one["outcome"] for one in ended} == {"confirmed"}
            assert (told["points"], told["budget_points"]) == (200, 250)
            shop.ended()
        finally:
            issuer.kill()
        entries = _signed(issuer.folder)
        assert sorted(one.points for one in entries if isinstance(one, Issue)) == [100, 100]
        assert [sum(line.points for line in one.lines) for one in entries if isinstance(one, Clawback)] == [25]
        assert {str(one.member) for one in entries if isinstance(one, Issue | Clawback)} == {shop.member}
        assert shop.counted() == {"issue": 5, "clawback": 2}, "three sales and one refund of the shop's, two and one of the issuer's"
        shop.audit()


def _await_told(shop: ServedShop) -> None:
    """One of them was refused for good."""
    until = monotonic() + 60
    with shop.agent.till() as till:
        while (stands := till.get("/v1/status").json()["evidence_to"][0])["waiting"]:
            assert monotonic() < until, stands
            sleep(0.1)
    assert (stands["refused"], stands["refused_last"]) == (1, "over_budget")


def _signed(folder: Path) -> list[Entry]:
    """Everything that the issuer's agent put its brand's signature to."""
    _, *lines = (folder / "signed.jsonl").read_text().splitlines()
    return [decode_entry(one) for line in lines for one in unpack_entries(bytes.fromhex(json.loads(line)["entries"]))]
