"""Two agents as processes, and one gateway that both call: the seller's tells the issuer's of its sales, which earn its bonus."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from gateway.brand_agent.evidence import EvidenceDocument
from gateway.brand_agent.tills import Scope, revoke_till
from gateway.brand_signer.key import Key
from gateway.secret_files import make_secret, read_or_make
from tests.builders.agents import AgentBuilder, ServedGateway, await_answer
from tests.builders.brands import ROOT
from tests.builders.evidence import ISSUER, SELLER, sale, signed
from tests.builders.listening import TAKEN, Answered, listening
from tests.builders.offline_coalition import OfflineCoalition
from tests.documents.printed import blocks
from tests.gateway.brand_agent.conftest import Shop


@dataclass
class Coalition(Shop):
    """`agent` is the seller's, brand 1's; `issuer` is brand 2's."""

    issuer: AgentBuilder

    def tells(self, path: str, body: dict[str, Any]) -> None:
        with self.agent.till() as till:
            answer = till.post(path, json=body)
            assert answer.status_code == 202, answer.text

    def all_told(self) -> dict[str, Any]:
        """How the seller's agent stands once nothing waits to be told."""
        return self.until(lambda status: not status["evidence_to"][0]["waiting"])

    def until(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        until = monotonic() + 60
        with self.agent.till() as till:
            while not reached(status := till.get("/v1/status").json()):
                assert monotonic() < until, status
                sleep(0.05)
        return dict(status)

    def points(self, kind: str, count: int = 1) -> list[int]:
        """Of brand 2's operations of a kind, once there are so many; the ledger confirms whatever arrives."""
        until = monotonic() + 60
        while len(found := [row.points for row in self.gateway.operations(kind) if row.brand_id == ISSUER]) < count:
            assert monotonic() < until
            sleep(0.05)
        self.gateway.confirm_all()
        return found

    def all_given(self) -> list[str]:
        """References of what brand 2 gave and took back, one for each operation, once its agent waits for none."""
        until = monotonic() + 60
        with self.issuer.till() as till:
            while any(till.get("/v1/status").json()["waiting"].values()):
                assert monotonic() < until
                self.gateway.confirm_all()
                sleep(0.05)
        rows = [row for kind in ("issue", "clawback") for row in self.gateway.operations(kind) if row.brand_id == ISSUER]
        return [str(row.reference) for row in rows]

    def counted(self) -> list[str]:
        with closing(sqlite3.connect(self.issuer.folder / "agent.sqlite")) as journal:
            return [EvidenceDocument.parse(text).id for (text,) in journal.execute("SELECT document FROM evidence")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coalition]:
    folder = tmp_path_factory.mktemp("coalition")
    coalition = OfflineCoalition(folder)
    for brand_id in (SELLER, ISSUER):
        coalition.brand(brand_id)
    gateway, seller, issuer = ServedGateway(coalition), AgentBuilder(folder / "seller"), AgentBuilder(folder / "issuer")
    seller.prepare(gateway.url, coalition.tokens["brand:1"])
    issuer.prepare(gateway.url, coalition.tokens["brand:2"], brand_id=ISSUER)
    issuer.add_till("seller", Scope.EVIDENCE)
    issuer.configure(**printed_section("partners", "0x…", str(evidence_key(seller).address)))
    gateway.start()
    issuer.start()
    seller.configure(**printed_section("evidence", "https://issuer.example", f"http://127.0.0.1:{issuer.port}"))
    make_secret(seller.folder / "evidence_token", issuer.tokens["seller"])
    seller.start()
    try:
        yield Coalition(gateway, seller, coalition.shopper(), issuer)
    finally:
        seller.kill()
        issuer.kill()
        gateway.stop()
        coalition.close()


def evidence_key(agent: AgentBuilder) -> Key:
    return Key(read_or_make(agent.folder / "evidence_key"))


def printed_section(name: str, *replaced: str) -> dict[str, Any]:
    """Of the settings, as docs/brand-agent.md has it but for what is replaced."""
    [printed] = [block for block in blocks("docs/brand-agent.md") if block.language == "json" and block.lines[0].startswith(f'"{name}"')]
    found: dict[str, Any] = json.loads("{" + "".join(printed.lines).replace(*replaced) + "}")
    return found


def test_a_sale_earns_the_issuers_bonus_and_its_refunds_take_back_their_share(shop: Coalition) -> None:
    shop.tells("/v1/purchases", shop.sale("s-1", 2_599))
    assert shop.points("issue") == [25]
    shop.tells("/v1/payment-refunds", shop.refund("b-1", "s-1", 1_000))
    assert shop.points("clawback") == [25 * 1_000 // 2_599]
    shop.tells("/v1/payment-refunds", shop.refund("b-2", "s-1", 1_599))
    assert sum(shop.points("clawback", 2)) == 25
    shop.tells("/v1/payment-refunds/b-2/failure", {"occurred_at": "2017-03-15T12:00:00Z"})
    assert shop.points("restore") == [25 - 25 * 1_000 // 2_599]
    with shop.issuer.till() as till:
        ended = await_answer(till, "/v1/purchases/evidence:1:s-1")
        [told] = till.get("/v1/status").json()["partners"]
    assert (ended["points"], ended["outcome"]) == (25, "confirmed")
    assert (told["brand_id"], told["points"], told["budget_points"]) == (SELLER, 25, 1_000_000)


def test_with_the_issuer_away_the_seller_goes_on_and_tells_it_later(shop: Coalition) -> None:
    shop.issuer.kill()
    for number in range(5):
        shop.tells("/v1/purchases", shop.sale(f"away-{number}"))
        shop.tells("/v1/payment-refunds", shop.refund(f"away-b-{number}", f"away-{number}", 500))
    status = shop.until(lambda told: "evidence_waits" in {one["code"] for one in told["alarms"]})
    assert status["evidence_to"][0]["waiting"] == 10
    with shop.agent.till() as till:
        assert 'agent_evidence_waiting{brand="2"} 10' in till.get("/metrics").text.splitlines()
    shop.issuer.start()
    assert "evidence_waits" not in {one["code"] for one in shop.all_told()["alarms"]}
    assert sum(one.startswith("away-") for one in shop.counted()) == 10


def test_an_issuers_agent_from_a_backup_is_told_again_what_it_lost_and_gives_it_once(shop: Coalition, tmp_path: Path) -> None:
    journal, backup = shop.issuer.folder / "agent.sqlite", tmp_path / "backup.sqlite"
    shop.tells("/v1/purchases", shop.sale("r-1"))
    shop.all_told()
    with closing(sqlite3.connect(journal)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    shop.issuer.kill()
    shop.issuer.start()
    shop.tells("/v1/purchases", shop.sale("r-2"))
    shop.tells("/v1/payment-refunds", shop.refund("r-b", "r-1", 500))
    shop.tells("/v1/purchases", shop.sale("r-3"))
    assert shop.all_told()["evidence_to"][0]["told_again"] == 0, "started again it had lost nothing"
    given = shop.all_given()
    had = sorted(shop.counted())

    shop.issuer.kill()
    for path in shop.issuer.folder.glob("agent.sqlite*"):
        path.unlink()
    backup.replace(journal)
    shop.issuer.start()
    assert sorted(shop.counted()) != had
    shop.tells("/v1/purchases", shop.sale("r-4"))
    shop.until(lambda status: len(shop.counted()) > len(had))
    assert shop.all_told()["evidence_to"][0]["told_again"] >= 3
    assert sorted(shop.counted()) == sorted([*had, "r-4"])
    found = shop.all_given()
    assert (len(found), len(set(found)), set(given) - set(found)) == (len(given) + 1, len(given) + 1, set())


def test_a_token_for_evidence_opens_nothing_else_and_is_revoked_like_any_other(shop: Coalition) -> None:
    body = signed(sale("t-1", member_id=shop.member.member_id), evidence_key(shop.agent))
    with shop.issuer.till("seller") as partners, shop.issuer.till() as till:
        assert till.post("/v1/evidence", json=body).status_code == 403
        assert partners.post("/v1/purchases", json=shop.sale("t-1")).status_code == 403
        assert partners.get("/v1/status").status_code == 403
        first, again = (partners.post("/v1/evidence", json=body) for _ in range(2))
        assert (first.status_code, "Idempotent-Replayed" in first.headers) == (202, False)
        assert (again.status_code, again.headers["Idempotent-Replayed"], again.json()["id"]) == (202, "true", first.json()["id"])
        assert partners.post("/v1/evidence", content=b"{}" * 200_000).status_code == 413
        for wrong in ({}, {**body, "more": 1}, {**body, "document": 5}, {**body, "signature": "0x12"}, [body]):
            assert partners.post("/v1/evidence", json=wrong).status_code == 422
        assert partners.post("/v1/evidence", content=b"[" * 100_000).status_code == 400
        assert partners.post("/v1/evidence", json=signed(sale("t-2"), Key(b"\x05" * 32))).json()["code"] == "wrong_signature"
        shop.issuer.add_till("leaver", Scope.EVIDENCE)
        with shop.issuer.till("leaver") as leaver:
            assert leaver.post("/v1/evidence", json=body).status_code == 202
            revoke_till(shop.issuer.folder / "tills.json", "leaver", 0)
            assert leaver.post("/v1/evidence", json=body).status_code == 401


def test_no_till_speaks_of_what_stands_there_by_evidence(shop: Coalition) -> None:
    with shop.issuer.till() as till:
        assert till.post("/v1/purchases", json=shop.sale("evidence:1:own-2")).json()["facts"] == {"field": "payment_id"}
        for body in (shop.refund("b", "evidence:1:own-1", 500), shop.refund("evidence:1:own-b", "own-1", 500)):
            assert till.post("/v1/payment-refunds", json=body).status_code == 422
        failed = till.post("/v1/payment-refunds/evidence:1:b-2/failure", json={"occurred_at": "2017-03-15T12:00:00Z"})
        assert failed.status_code == 422


def test_what_is_printed_of_evidence_runs_as_printed(shop: Coalition) -> None:
    folder = shop.agent.folder.parent
    [printed] = [block for block in blocks("docs/brand-agent.md") if block.language == "evidence"]
    statements = printed.statements()
    assert len(statements) == 7
    script = "\n".join(["set -euo pipefail", *(f"{statement}; echo" for statement in statements)])
    known = {"MEMBER": shop.member.member_id, "PYTHONPATH": str(ROOT)}
    for name, agent in (("SELLER", shop.agent), ("ISSUER", shop.issuer)):
        known |= {name: f"http://127.0.0.1:{agent.port}", f"{name}_TILL": agent.tokens["till-1"]}
    environment = {**os.environ, **known, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(str(evidence_key(shop.agent).address))
    assert "e-1" in shop.counted()


def test_killed_before_it_hears_the_answer_it_brings_the_same_to_the_byte(shop: Coalition) -> None:
    with listening() as listener:

        def killing() -> Answered:
            listener.answer = lambda: TAKEN
            shop.agent.kill()
            return TAKEN

        listener.answer = killing
        shop.all_told()
        shop.agent.kill()
        shop.agent.configure(**printed_section("evidence", "https://issuer.example", listener.url))
        shop.agent.start()
        shop.tells("/v1/purchases", shop.sale("k-1"))
        until = monotonic() + 30
        while shop.agent.process is not None:
            assert monotonic() < until
            sleep(0.02)
        shop.agent.start()
        shop.all_told()
    assert [json.loads(json.loads(body)["document"])["id"] for body in listener.bodies] == ["k-1", "k-1"]
    assert listener.bodies[0] == listener.bodies[1]
