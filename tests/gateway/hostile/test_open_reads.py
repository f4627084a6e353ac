"""What is open to strangers waits for no node and counts no ledger; an agent knows its gateway while the node is silent."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, insert

from gateway.api.known_sealer import KnownSealer
from gateway.coalition.rows import business_clock
from gateway.coalition.views import CoalitionViews
from gateway.projection.tables import LedgerBatchRow, LedgerBlockRow
from gateway.store.unit_of_work import reading
from gateway.values.errors import Unavailable
from gateway.values.ids import Address, Hash
from tests.builders.agents import AgentBuilder
from tests.builders.offline_coalition import OfflineCoalition
from tests.builders.served_gateway import ServedGateway, served_gateway

STRANGERS = 30
OPEN_READS = ("/v1/coalition", "/v1/checkpoints", "/v1/coalition/admission-criteria", "/healthz", "/readyz")


class SilentNode:
    """Takes connections and says nothing."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.held: list[socket.socket] = []
        threading.Thread(target=self._hold, daemon=True).start()

    def close(self) -> None:
        for each in (self._listening, *self.held):
            each.close()

    def _hold(self) -> None:
        while True:
            try:
                self.held.append(self._listening.accept()[0])
            except OSError:
                return


@pytest.fixture(scope="module")
def node() -> Iterator[SilentNode]:
    silent = SilentNode()
    yield silent
    silent.close()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, node: SilentNode) -> Iterator[ServedGateway]:
    with served_gateway(tmp_path_factory.mktemp("silent"), rpc_url=node.url) as served:
        yield served


def test_strangers_are_answered_without_the_node_and_honest_brands_beside_them(gateway: ServedGateway, node: SilentNode) -> None:
    gateway.be_quiet()
    first = httpx.get(f"{gateway.url}/v1/coalition", timeout=60).json()
    assert (first["sealer"], first["entries"], first["currency"]) == (None, 0, "USD")
    asked = len(node.held)

    def stranger(number: int) -> float:
        began = time.monotonic()
        assert httpx.get(gateway.url + OPEN_READS[number % len(OPEN_READS)], timeout=60).status_code == 200
        return time.monotonic() - began

    with ThreadPoolExecutor(STRANGERS) as strangers:
        took = list(strangers.map(stranger, range(5 * STRANGERS)))
        gateway.reads_beside(0.2)
    assert max(took) < 15, "no answer waits for a node that is silent for 30 s"
    assert len(node.held) - asked < 5, "and none of them asks it"


def test_an_agents_sale_reaches_the_gateway_whose_node_is_away(gateway: ServedGateway, tmp_path: Path) -> None:
    agent = AgentBuilder(tmp_path / "agent")
    agent.prepare(gateway.url, gateway.attacker)
    agent.start()
    try:
        sale = {"payment_id": "p-1", "member_id": gateway.member_id, "gross_minor": 1_000, "currency": "USD"}
        with agent.till() as till:
            at = {"occurred_at": "2017-03-14T12:00:00Z", "business_date": "2017-03-14"}
            assert till.post("/v1/purchases", json={**sale, **at}).status_code == 202
            until = time.monotonic() + 20
            while (found := till.get("/v1/purchases/p-1").json())["state"] != "answered" and time.monotonic() < until:
                time.sleep(0.1)
        assert (found["state"], found["reason"]) == ("answered", None)
    finally:
        agent.kill()


def test_the_sealer_is_what_the_node_said_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.api.known_sealer.ASKED_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr("gateway.api.known_sealer.FIRST_WORD_SECONDS", 0.2)
    first, second = Address(b"\x01" * 20), Address(b"\x02" * 20)
    says: list[Address | None] = [first, None, second]
    speaks, asked = threading.Semaphore(0), list[int]()

    def ask() -> Address | None:
        asked.append(1)
        if not speaks.acquire(timeout=10):
            raise Unavailable("away")
        if (told := says.pop(0)) is None:
            raise KeyError("nonsense")
        return told

    async def scene() -> None:
        sealer, began = KnownSealer(ask), time.monotonic()
        assert set(await asyncio.gather(*(sealer.now() for _ in range(100)))) == {None}
        assert [await sealer.now() for _ in range(100)] == [None] * 100
        assert (len(asked), time.monotonic() - began < 10) == (1, True), "one question, which nobody waits for for long"
        for due in (first, first, second):
            speaks.release()
            left = len(says)
            while len(says) == left or await sealer.now() != due:
                await sealer.now()
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_entries_are_counted_by_their_batches_and_anew_after_a_reorganization(tmp_path: Path) -> None:
    coalition, views = OfflineCoalition(tmp_path), CoalitionViews()

    def counted() -> int:
        with reading(coalition.database, business_clock()) as work:
            return views.find(work, [None])[None].entries

    def block(number: int, fill: int, entries: int) -> None:
        with coalition.database.write() as session:
            session.execute(insert(LedgerBlockRow).values(number=number, block_hash=Hash(bytes([fill]) * 32), timestamp=number))
            named = {"brand_id": 1, "number": number, "root": Hash(bytes(32)), "transaction_hash": Hash(bytes(32))}
            session.execute(insert(LedgerBatchRow).values(entry_count=entries, refused_count=0, block_number=number, **named))

    try:
        assert counted() == 0
        block(2, 2, 5)
        assert (counted(), counted()) == (5, 5)
        block(3, 3, 2)
        assert counted() == 7
        with coalition.database.write() as session:  # the follower drops what the chain no longer has
            session.execute(delete(LedgerBlockRow).where(LedgerBlockRow.number > 1))
            session.execute(delete(LedgerBatchRow))
        assert counted() == 0
        block(2, 2, 5)
        assert counted() == 5
        with coalition.database.write() as session:
            session.execute(delete(LedgerBlockRow).where(LedgerBlockRow.number > 1))
            session.execute(delete(LedgerBatchRow))
        block(2, 9, 1)
        block(3, 8, 1)
        assert counted() == 2
    finally:
        coalition.close()
