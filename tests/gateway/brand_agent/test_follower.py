"""What the follower of items believes of the gateway's list, and that nothing in it ends the following."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.brand_agent.follower import Ending, GatewaysWord, OutcomeFollower
from gateway.brand_agent.gateway_client import NAMED_AT_ONCE, ForwardingClient, GatewayAnswer
from gateway.brand_agent.item import Item, ItemKind, NewItem, Outcome, Speaker
from gateway.brand_agent.outbox import Mark, add, find, mark, take
from gateway.brand_agent.till_journal import TillJournal
from tests.gateway.brand_signer.brand_books import BRAND, DOMAIN


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[TillJournal]:
    with closing(TillJournal(tmp_path / "agent.sqlite", DOMAIN, BRAND)) as opened:
        yield opened


def _answered(journal: TillJournal, count: int) -> list[Item]:
    """Sales that the gateway has taken, each as the operation of its own number."""
    for number in range(count):
        new = NewItem(ItemKind.PURCHASE, f"p-{number}", "", "{}", f"payment:p-{number}", None, None, 10)
        journal.write(lambda connection, one=new: add(connection, one, Speaker("till-1", None), 0, "{}".__eq__))
    taken = journal.write(lambda connection: take(connection, ItemKind.PURCHASE, 0, count, troubled=False))
    journal.write(lambda connection: mark(connection, [Mark(one.sequence, f"op-{one.external_id[2:]}") for one in taken], 1))
    return [_item(journal, f"p-{number}") for number in range(count)]


def _item(journal: TillJournal, payment_id: str) -> Item:
    found = journal.write(lambda connection: find(connection, ItemKind.PURCHASE, payment_id))
    assert found is not None
    return found


class TalkativeGateway(ForwardingClient):
    """Lists what it is asked for, and something that nobody asked for."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", str, DOMAIN)
        self.asked: list[Sequence[str]] = []

    def operations(self, operation_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        self.asked.append(operation_ids)
        return [{"operation_id": one, "status": "confirmed"} for one in [*operation_ids, "op-of-another"] if one != "op-3"]

    def operation(self, operation_id: str) -> GatewayAnswer:
        return GatewayAnswer(200, {"operation_id": operation_id, "status": "accepted"})


def test_operations_are_asked_for_by_name_and_what_nobody_asked_for_is_left_out(journal: TillJournal) -> None:
    items = _answered(journal, NAMED_AT_ONCE + 5)
    with closing(TalkativeGateway()) as gateway:
        found = GatewaysWord(gateway).operations(items)
    assert {*found} == {item.operation_id for item in items}
    assert (found["op-3"]["status"], found["op-4"]["status"]) == ("accepted", "confirmed")
    assert [len(one) for one in gateway.asked] == [NAMED_AT_ONCE, 5]
    assert NAMED_AT_ONCE * len("&operation_id=" + "0" * 32) < 8_000, "a request line that any proxy takes"


def test_a_mistake_about_some_items_ends_the_following_of_none(journal: TillJournal, caplog: pytest.LogCaptureFixture) -> None:
    _answered(journal, 1)
    faults = [KeyError("a mistake of ours")]

    class Endings:
        def of(self, items: Sequence[Item]) -> Mapping[str, Ending]:
            if faults:
                raise faults.pop()
            return {str(item.operation_id): (Outcome.CONFIRMED, None) for item in items}

    follower = OutcomeFollower(journal, Endings(), every_seconds=0.01)
    follower.start()
    with closing(follower):
        until = time.monotonic() + 20
        while _item(journal, "p-0").outcome is None:
            assert time.monotonic() < until
            time.sleep(0.02)
    assert "a mistake of ours" in caplog.text
