"""The forwarder on a real journal, beside a gateway that answers everything: what goes wrong on this side holds nothing for good."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.brand_agent.forgotten import GatewaysMemory
from gateway.brand_agent.forwarder import Forwarder
from gateway.brand_agent.gateway_client import ForwardingClient, GatewayAnswer
from gateway.brand_agent.group_writer import CannotWrite
from gateway.brand_agent.item import ItemKind, ItemState, NewItem, Speaker
from gateway.brand_agent.outbox import add, find
from gateway.brand_agent.till_journal import TillJournal
from tests.gateway.brand_signer.brand_books import BRAND, DOMAIN


class AcceptingGateway(ForwardingClient):
    """Takes each purchase, once `before` lets it."""

    def __init__(self, before: Callable[[], None]) -> None:
        super().__init__("http://127.0.0.1:9", str, DOMAIN)
        self.before = before

    def post(self, path: str, content: bytes, idempotency_key: str, wait_seconds: int = 0) -> GatewayAnswer:
        self.before()
        told = json.loads(content)["purchases"]
        return GatewayAnswer(200, {"results": [{"operation": {"operation_id": one["payment_id"], "status": "accepted"}} for one in told]})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[TillJournal]:
    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, BRAND)) as opened:
        yield opened


def test_a_look_into_the_journal_that_fails_with_it_leaves_no_item_behind(journal: TillJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GatewaysMemory, "check", _failing_once(CannotWrite("the disk is full")))
    assert _sent(journal, AcceptingGateway(lambda: None)) == "p-1"


def test_a_mistake_about_one_item_is_tried_again_and_written_down(journal: TillJournal, caplog: pytest.LogCaptureFixture) -> None:
    assert _sent(journal, AcceptingGateway(_failing_once(ZeroDivisionError("a mistake of ours")))) == "p-1"
    assert "a mistake of ours" in caplog.text


def _failing_once(failure: Exception) -> Callable[..., None]:
    failures = [failure]

    def act(*_given: object) -> None:
        if failures:
            raise failures.pop()

    return act


def _sent(journal: TillJournal, gateway: ForwardingClient) -> str | None:
    """The operation that a purchase became, once the gateway has it."""
    body = json.dumps({"payment_id": "p-1"})
    new = NewItem(ItemKind.PURCHASE, "p-1", "", body, "payment:p-1", None, None, 10)
    forwarder = Forwarder(journal, gateway, GatewaysMemory(journal, gateway))
    forwarder.start()
    with closing(forwarder), closing(gateway):
        journal.write(lambda connection: add(connection, new, Speaker("till-1", None), 0, body.__eq__))
        forwarder.wake()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            item = journal.write(lambda connection: find(connection, ItemKind.PURCHASE, "p-1"))
            assert item is not None
            if item.state is ItemState.ANSWERED:
                return item.operation_id
            time.sleep(0.05)
    raise AssertionError(f"the item stays {item.state}: {item.reason}")
