"""The forwarder on a real journal, beside a gateway that answers everything: what goes wrong on this side holds nothing for good."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.brand_agent import forwarder
from gateway.brand_agent.forgotten import GatewaysMemory
from gateway.brand_agent.forwarder import Forwarder
from gateway.brand_agent.gateway_client import ForwardingClient, GatewayAnswer
from gateway.brand_agent.group_writer import CannotWrite
from gateway.brand_agent.item import Item, ItemKind, ItemState, NewItem, Speaker
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


def test_what_comes_while_an_answer_is_awaited_goes_together_and_waits_for_no_slow_answer(
    journal: TillJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarder, "_SLOW_SECONDS", 3_600)
    goes_on, sizes = threading.Event(), []

    class SlowGateway(AcceptingGateway):
        def post(self, path: str, content: bytes, idempotency_key: str, wait_seconds: int = 0) -> GatewayAnswer:
            sizes.append(len(json.loads(content)["purchases"]))
            assert len(sizes) > 1 or goes_on.wait(20)
            return super().post(path, content, idempotency_key, wait_seconds)

    client = SlowGateway(lambda: None)
    with closing(client), closing(Forwarder(journal, client, GatewaysMemory(journal, client))) as sender:
        sender.start()
        for number in range(6):
            _tell(journal, f"p-{number}")
            sender.wake()
            _await(lambda: bool(sizes))
        assert sizes == [1]
        monkeypatch.setattr(forwarder, "_SLOW_SECONDS", 0)
        _await(lambda: len(sizes) == 2)
        goes_on.set()
        _await(lambda: _item(journal, "p-0").state is ItemState.ANSWERED)
    assert sizes == [1, 5]


def _failing_once(failure: Exception) -> Callable[..., None]:
    failures = [failure]

    def act(*_given: object) -> None:
        if failures:
            raise failures.pop()

    return act


def _sent(journal: TillJournal, gateway: ForwardingClient) -> str | None:
    """The operation that a purchase became, once the gateway has it."""
    with closing(gateway), closing(Forwarder(journal, gateway, GatewaysMemory(journal, gateway))) as sender:
        sender.start()
        _tell(journal, "p-1")
        sender.wake()
        _await(lambda: _item(journal, "p-1").state is ItemState.ANSWERED)
    return _item(journal, "p-1").operation_id


def _tell(journal: TillJournal, payment_id: str) -> None:
    body = json.dumps({"payment_id": payment_id})
    new = NewItem(ItemKind.PURCHASE, payment_id, "", body, f"payment:{payment_id}", None, None, 10)
    journal.write(lambda connection: add(connection, new, Speaker("till-1", None), 0, body.__eq__))


def _item(journal: TillJournal, payment_id: str) -> Item:
    found = journal.write(lambda connection: find(connection, ItemKind.PURCHASE, payment_id))
    assert found is not None
    return found


def _await(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)
