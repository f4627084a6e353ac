"""A shop: the gateway's API of an offline coalition, and the agent of brand 1 as a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from tests.builders.agents import AgentBuilder, ServedGateway, await_answer
from tests.builders.offline_coalition import OfflineCoalition, Shopper

WHEN = {"occurred_at": "2017-03-15T10:00:00+00:00", "business_date": "2017-03-15"}


@dataclass
class Shop:
    """A brand's till side: its agent, the gateway that it calls, and a member."""

    gateway: ServedGateway
    agent: AgentBuilder
    member: Shopper

    def sale(self, payment_id: str, gross_minor: int = 1_000, **changes: Any) -> dict[str, Any]:
        what = {"payment_id": payment_id, "member_id": self.member.member_id, "currency": "USD", "gross_minor": gross_minor}
        return {**what, **WHEN, **changes}

    def refund(self, refund_id: str, payment_id: str, amount_minor: int) -> dict[str, Any]:
        return {"refund_id": refund_id, "payment_id": payment_id, "amount_minor": amount_minor, **WHEN}

    def ended(self, *paths: str) -> list[Any]:
        """How these stand once all have ended; the ledger confirms whatever arrives meanwhile."""
        found = []
        with self.agent.till() as till:
            for path in paths:
                self.arrived(path)
                self.gateway.confirm_all()
                found.append(await_answer(till, path))
        return found

    def arrived(self, path: str) -> None:
        """Waits until the gateway has answered."""
        with self.agent.till() as till:
            for _ in range(1_200):
                if till.get(path).json()["state"] in ("answered", "ended"):
                    return
                sleep(0.02)
            raise AssertionError(till.get(path).text)


@contextmanager
def open_shop(folder: Path, **ledger: Any) -> Iterator[Shop]:
    """`ledger`: what the agent's settings say otherwise of the coalition."""
    coalition = OfflineCoalition(folder)
    coalition.brand(1)
    gateway, agent = ServedGateway(coalition), AgentBuilder(folder / "agent")
    agent.prepare(gateway.url, coalition.tokens["brand:1"])
    agent.change("coalition", **ledger)
    gateway.start()
    agent.start()
    try:
        yield Shop(gateway, agent, coalition.shopper())
    finally:
        agent.kill()
        gateway.stop()
        coalition.close()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def shop(opened: Shop) -> Shop:
    """Gateway and agent at work, whatever the test before did to them."""
    opened.gateway.start()
    if opened.agent.process is None:
        opened.agent.start()
    return opened
