"""The agent follows by itself the versions of the rule that its brand's publisher signed, and nothing else that a gateway may offer."""

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
from eth_keys.datatypes import PrivateKey
from sqlalchemy import update

from gateway.brand_agent.rule_book import NotFollowed, RuleBook
from gateway.brand_agent.till_journal import TillJournal
from gateway.ledger.decision import BASE_RULE
from gateway.ledger.entries import Issue, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.issue_parts import AwardBasis
from gateway.ledger.lots import expiry_day_for
from gateway.ledger.signing import reference
from gateway.loyalty.programmes.tables import EarningRuleRow
from gateway.loyalty.rule_document import RuleDocument
from gateway.values.ids import Address, MemberId
from gateway.values.points import Points
from tests.builders.agents import AgentBuilder, ServedGateway, agent_settings
from tests.builders.brands import ROOT
from tests.builders.offline_coalition import START, OfflineCoalition
from tests.builders.publishers import DOMAIN, PUBLISHER, PUBLISHER_ADDRESS, STRANGER, STRANGER_ADDRESS, rule_signature, signed_rule
from tests.documents.printed import blocks
from tests.gateway.brand_agent.conftest import Shop
from tests.gateway.brand_signer.brand_books import decided, told

RULES = "/v1/brands/1/rules"
BEFORE, FROM_START_ON = "2017-03-14T23:59:59+00:00", "2017-03-15T00:00:00+00:00"


@dataclass
class FollowingShop(Shop):
    """A shop whose brand has a publisher, by the gateway and by its agent's own settings."""

    coalition: OfflineCoalition

    def publish(self, version: int, points: int, key: PrivateKey = PUBLISHER, valid_from: int = 0) -> None:
        answer = self.coalition.post("brand:1", RULES, signed_rule(version, points, valid_from, key))
        assert answer.status_code == 201, answer.text

    def sells(self, payment_id: str, at: str = FROM_START_ON) -> dict[str, Any]:
        """What the till is told."""
        with self.agent.till() as till:
            answer = till.post("/v1/purchases", json=self.sale(payment_id, occurred_at=at, business_date="2017-03-15"))
            assert answer.status_code == 202, answer.text
            return dict(answer.json())

    def earned(self, payment_id: str) -> tuple[int, int]:
        """(points, by which version), once the sale has reached the gateway."""
        self.arrived(f"/v1/purchases/{payment_id}")
        found = self.coalition.get("brand:1", f"/v1/purchases/{payment_id}").json()
        return found["points"], found["rule_version"]

    def status(self) -> dict[str, Any]:
        with self.agent.till() as till:
            return dict(till.get("/v1/status").json())

    def alarms(self) -> list[str]:
        return [alarm["detail"] for alarm in self.status()["alarms"] if alarm["code"] == "rule_refused"]

    def in_force(self) -> int:
        """By the gateway."""
        rules = self.coalition.get("brand:1", RULES).json()["rules"]
        return max(int(rule["version"]) for rule in rules if rule["status"] == "in_force")

    def followed(self) -> list[int]:
        """What the agent's journal has."""
        with closing(sqlite3.connect(self.agent.folder / "agent.sqlite")) as journal:
            return [version for (version,) in journal.execute("SELECT version FROM rules ORDER BY version")]

    def is_signed(self, number: int, payment_id: str, points: int, version: int) -> dict[str, Any]:
        """What the agent answers to a batch with this issue."""
        member = MemberId.parse(self.member.member_id)
        decision = decided(payment_id, 1, Points(points), member)
        basis, expiry_day = AwardBasis(version, BASE_RULE, 1, decision.hash), expiry_day_for(START, 0, 12)
        entry = encode_entry(Issue(member, expiry_day, Points(points), basis, reference(b"\x01" * 32, "payment", payment_id)))
        request = {
            "brand_id": 1,
            "number": number,
            "deadline": START + 86_400,
            "entries": "0x" + pack_entries([entry]).hex(),
            "details": [{"kind": "issue", "payment_id": payment_id, "decision": told(decision)}],
        }
        with self.agent.till(token=(self.agent.folder / "token").read_text().strip()) as gateway:
            return dict(gateway.post("/sign-batch", json=request).json())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[FollowingShop]:
    coalition = OfflineCoalition(tmp_path)
    coalition.brand(1)
    coalition.post("brand:1", "/v1/brands/1/settings", {"publisher_address": PUBLISHER_ADDRESS})
    gateway, agent = ServedGateway(coalition), AgentBuilder(tmp_path / "agent")
    following = agent_settings(0, gateway.url)["agent"] | {"publisher": PUBLISHER_ADDRESS, "rules_seconds": 1}
    agent.prepare(gateway.url, coalition.tokens["brand:1"], agent=following)
    gateway.start()
    try:
        yield FollowingShop(gateway, agent, coalition.shopper(), coalition)
    finally:
        agent.kill()
        gateway.stop()
        coalition.close()


def test_the_version_before_earns_until_the_agent_has_confirmed_the_next_one(shop: FollowingShop) -> None:
    shop.agent.start()
    assert shop.sells("p-1")["points"] == 10
    assert shop.earned("p-1") == (10, 1)
    shop.coalition.move_time(START + 60)
    shop.publish(2, 7)
    until(lambda: shop.in_force() == 2)
    until(lambda: [rule["in_force_from"] for rule in shop.status()["rules"]][1:] == ["2017-03-15T00:01:00Z"])
    assert shop.sells("p-2", "2017-03-15T00:01:00+00:00")["points"] == 70
    assert shop.sells("p-3", "2017-03-15T00:00:59+00:00")["points"] == 10, "it happened while the version before earned"
    assert (shop.earned("p-2"), shop.earned("p-3")) == ((70, 2), (10, 1))
    assert shop.is_signed(1, "p-2", 7, 2) == {"refused": [{"index": 0, "reason": "wrong_points"}]}
    assert "signature" in shop.is_signed(1, "p-2", 70, 2)
    assert "signature" in shop.is_signed(2, "p-3", 10, 1)
    assert shop.alarms() == []


def test_what_the_gateway_accepted_before_the_change_is_signed_after_it(shop: FollowingShop) -> None:
    """A sale that is dated ahead of the gateway's clock was accepted under the version before."""
    shop.agent.start()
    shop.sells("ahead", "2017-03-15T10:00:00+00:00")
    assert shop.earned("ahead") == (10, 1)
    shop.publish(2, 7)
    until(lambda: shop.in_force() == 2 and shop.status()["rules"][-1]["in_force_from"] is not None)
    assert "signature" in shop.is_signed(1, "ahead", 10, 1)


def test_while_the_agent_is_down_the_version_before_earns_and_nothing_is_lost(shop: FollowingShop) -> None:
    shop.publish(2, 7)
    sale = shop.sale("direct", occurred_at=FROM_START_ON, business_date="2017-03-15")
    accepted = shop.coalition.post("brand:1", "/v1/purchases", sale)
    assert (accepted.status_code, accepted.json()["points"], accepted.json()["rule_version"]) == (202, 10, 1)
    shop.coalition.move_time(START + 60)
    shop.agent.start()
    until(lambda: shop.in_force() == 2)
    assert shop.sells("direct")["state"] == "journaled", "told by the till at last, it is in the agent's books"
    assert "signature" in shop.is_signed(1, "direct", 10, 1)
    shop.agent.kill()
    shop.agent.start()
    assert shop.followed() == [2], "the journal keeps it"
    assert shop.sells("later", "2017-03-15T00:01:00+00:00")["points"] == 70


def test_another_publishers_version_is_refused_with_an_alarm_and_the_one_before_goes_on(shop: FollowingShop) -> None:
    """Whoever has the gateway may name another publisher there, and publish in the brand's name."""
    shop.coalition.post("operator", "/v1/brands/1/settings", {"publisher_address": STRANGER_ADDRESS})
    shop.publish(2, 1_000, key=STRANGER)
    shop.agent.start()
    until(lambda: [f"not signed by the publisher {PUBLISHER_ADDRESS}" in detail for detail in shop.alarms()] == [True])
    assert (shop.in_force(), shop.followed(), shop.sells("p-1")["points"]) == (1, [], 10)
    assert shop.earned("p-1") == (10, 1)
    shop.coalition.post("operator", "/v1/brands/1/settings", {"publisher_address": PUBLISHER_ADDRESS})
    shop.publish(3, 7)
    until(lambda: shop.in_force() == 3)
    until(lambda: shop.alarms() == [])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"points": 70}, "not signed by the publisher"),
        ({"valid_from": START - 9}, "not signed by the publisher"),
        ({"signature": None}, "not signed"),
    ],
)
def test_a_document_that_was_tampered_with_is_refused(shop: FollowingShop, changes: dict[str, Any], named: str) -> None:
    shop.publish(2, 7)
    tamper(shop, 2, in_force_from=0, **changes)
    shop.agent.start()
    until(lambda: [named in detail for detail in shop.alarms()] == [True])
    assert (shop.followed(), shop.sells("p-1")["points"]) == ([], 10)
    shop.earned("p-1")
    assert shop.is_signed(1, "p-1", 70, 2) == {"refused": [{"index": 0, "reason": "wrong_rule_version"}]}, "which waits, and is no loss"


def test_an_older_version_under_a_new_number_is_refused(shop: FollowingShop) -> None:
    shop.agent.start()
    shop.publish(2, 7)
    until(lambda: shop.in_force() == 2)
    shop.publish(3, 8)
    until(lambda: shop.in_force() == 3)
    two = bytes.fromhex(signed_rule(2, 7)["signature"][2:])
    with shop.coalition.database.write() as session:
        replayed = {"points": 7, "per_minor": 100, "valid_from": 0, "signature": two, "in_force_from": None, "created_at": START}
        session.add(EarningRuleRow(brand_id=1, version=4, **replayed))
    until(lambda: [detail.split(" at ")[0] for detail in shop.alarms()] == ["version 4"])
    assert shop.followed() == [2, 3]


def test_a_gateway_that_lost_a_version_is_given_it_again_as_of_the_same_moment(shop: FollowingShop) -> None:
    shop.agent.start()
    shop.coalition.move_time(START + 60)
    shop.publish(2, 7)
    until(lambda: shop.in_force() == 2)
    until(lambda: shop.status()["rules"][-1]["in_force_from"] is not None)
    shop.coalition.move_time(START + 90)
    with shop.coalition.database.write() as session:  # as a backup of before has it
        for table in ("earning_rules WHERE version = 2", "idempotent_requests"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")
    until(lambda: shop.in_force() == 2)
    assert shop.coalition.get("brand:1", RULES).json()["rules"][-1]["in_force_from"] == "2017-03-15T00:01:00Z"


def test_between_confirming_and_the_gateways_answer_points_are_estimated(shop: FollowingShop) -> None:
    """The gateway is gone before it answers: it may have taken the confirmation."""
    shop.agent.start()
    shop.sells("p-0")
    shop.gateway.stop()
    shop.agent.kill()
    two = signed_rule(2, 7)
    with closing(sqlite3.connect(shop.agent.folder / "agent.sqlite")) as journal:
        document = '{"brand_id":1,"per_minor":100,"points":7,"valid_from":0,"version":2}'
        journal.execute("INSERT INTO rules VALUES (2, ?, ?, NULL)", (document, bytes.fromhex(two["signature"][2:])))
        journal.commit()
    shop.agent.start()
    said = shop.sells("p-1")
    assert (said["points"], said["promise"]) == (None, "estimated")
    shop.publish(2, 7)
    shop.gateway.start()
    until(lambda: shop.in_force() == 2)
    until(lambda: shop.sells(f"p-{monotonic()}")["points"] == 70)


def test_what_is_printed_of_a_change_runs_as_printed(shop: FollowingShop) -> None:
    (block,) = [each for each in blocks("docs/brand-agent.md") if each.language == "rule"]
    make_key, *change = block.statements()
    assert [statement.split()[2] for statement in (make_key, *change)] == ["publisher-key", "sign-rule", "publish-rule"]
    publisher = json.loads(typed(shop, f"{make_key} --json"))["address"]
    settings = json.loads(shop.agent.config.read_text())
    settings["agent"]["publisher"] = publisher
    shop.agent.config.write_text(json.dumps(settings))
    shop.coalition.post("brand:1", "/v1/brands/1/settings", {"publisher_address": publisher})
    shop.agent.start()
    for statement in change:
        typed(shop, statement)
    until(lambda: shop.in_force() == 2)


def typed(shop: FollowingShop, statement: str) -> str:
    """In the agent's folder."""
    script = f'set -eu; splittally() {{ {sys.executable} -m gateway "$@"; }}; {statement}'
    environment = {**os.environ, "GATEWAY": shop.gateway.url, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=shop.agent.folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tamper(shop: FollowingShop, version: int, **changes: Any) -> None:
    with shop.coalition.database.write() as session:
        session.execute(update(EarningRuleRow).where(EarningRuleRow.version == version).values(**changes))


def until(reached: Callable[[], bool]) -> None:
    end = monotonic() + 30
    while not reached():
        assert monotonic() < end
        sleep(0.05)


@pytest.mark.parametrize(("brand_id", "version"), [(1, 2), (2, 3)])
def test_a_version_under_another_number_and_another_brands_are_not_taken(tmp_path: Path, brand_id: int, version: int) -> None:
    """As a gateway that lies would tell them: the publisher did sign both."""
    document = RuleDocument(brand_id, version, 7, 100, 0)
    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, 1)) as journal:
        book = RuleBook(journal, (), Address.parse(PUBLISHER_ADDRESS), DOMAIN, 1)
        with pytest.raises(NotFollowed, match="under another number"):
            book.take(3, document.text(), rule_signature(document))
        own = RuleDocument(1, 3, 7, 100, 0)
        assert book.take(3, own.text(), rule_signature(own)).document == own
