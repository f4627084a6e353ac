"""The agent is killed at each step of its outbox; what it acknowledged reaches the gateway once, and nothing is made of it twice."""

from __future__ import annotations

import http.server
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from gateway.ledger.decision import BASE_RULE
from gateway.ledger.entries import Issue, encode_entry
from gateway.ledger.framing import pack_entries
from gateway.ledger.issue_parts import AwardBasis
from gateway.ledger.lots import expiry_day_for
from gateway.ledger.signing import reference
from gateway.values.ids import MemberId
from gateway.values.points import Points
from tests.builders.agents import free_port
from tests.builders.offline_coalition import START
from tests.depth import from_deep_on, in_a_soak
from tests.gateway.brand_agent.conftest import Shop
from tests.gateway.brand_signer.brand_books import decided, told

KILLS = in_a_soak(20, from_deep_on(2, 1))


@pytest.mark.parametrize("step", ["journaled", "sent", "answered", "marked"])
def test_killed_at_a_step_nothing_is_lost_or_doubled(shop: Shop, step: str) -> None:
    told: list[str] = []
    for life in range(KILLS):
        with _between(shop, step):
            ids = [f"{step}-{life}-{number}" for number in range(5)]
            with shop.agent.till() as till:
                for each in ids:
                    try:
                        if till.post("/v1/purchases", json=shop.sale(each)).status_code == 202:
                            told.append(each)
                    except httpx.HTTPError:
                        break
                if step in ("journaled", "marked"):
                    _await_state(till, step, told[-1])
                    shop.agent.kill()
            _await_dead(shop)
        shop.agent.start()
    assert len(told) >= KILLS
    ended = shop.ended(*[f"/v1/purchases/{each}" for each in told])
    assert {one["outcome"] for one in ended} == {"confirmed"}
    issues = Counter(row.reference for row in shop.gateway.operations("issue"))
    assert set(issues.values()) == {1}
    made = {row.operation_id for row in shop.gateway.operations("issue")}
    assert {one["operation_id"] for one in ended} <= made


def test_killed_once_it_has_signed_it_signs_nothing_else_under_that_number(shop: Shop) -> None:
    first = 1 + _lines(shop)
    with shop.agent.till() as till:
        for number in range(first, first + KILLS + 1):
            assert till.post("/v1/purchases", json=shop.sale(f"signed-{number}")).status_code == 202
    for number in range(first, first + KILLS):
        request = _batch(shop, number, f"signed-{number}")
        killer = threading.Thread(target=_kill_when_signed, args=(shop, _lines(shop)))
        killer.start()
        answered = _asked(shop, request)  # it may still get out
        killer.join()
        shop.agent.start()
        again = _asked(shop, request)
        assert again is not None
        assert again.status_code == 200, again.text
        assert answered is None or answered.json() == again.json()
        assert _signed(shop, number) == [again.json()["signature"]]
        other = _asked(shop, _batch(shop, number, f"signed-{number + 1}"))
        assert other is not None
        assert other.json()["error"] == "number_used"
        twice = _asked(shop, _batch(shop, number + 1, f"signed-{number}"))
        assert twice is not None
        assert twice.json() == {"refused": [{"index": 0, "reason": "already_signed", "number": number}]}


def _kill_when_signed(shop: Shop, before: int) -> None:
    until = monotonic() + 30
    while _lines(shop) == before:
        assert monotonic() < until
    shop.agent.kill()


def _lines(shop: Shop) -> int:
    """Batches in the journal of what was signed."""
    return max(0, (shop.agent.folder / "signed.jsonl").read_bytes().count(b"\n") - 1)


def _signed(shop: Shop, number: int) -> list[str]:
    _, *lines = (shop.agent.folder / "signed.jsonl").read_text().splitlines()
    return ["0x" + one["signature"] for one in map(json.loads, lines) if one["number"] == number]


def _batch(shop: Shop, number: int, payment_id: str) -> dict[str, Any]:
    """The issue of a sale, as the gateway asks for it."""
    member, points = MemberId.parse(shop.member.member_id), Points(10)
    decision = decided(payment_id, 1, points, member)
    expiry_day = expiry_day_for(START + 36_000, 0, 12)
    basis = AwardBasis(1, BASE_RULE, 1, decision.hash)
    entry = encode_entry(Issue(member, expiry_day, points, basis, reference(b"\x01" * 32, "payment", payment_id)))
    detail = {"kind": "issue", "payment_id": payment_id, "decision": told(decision)}
    entries = "0x" + pack_entries([entry]).hex()
    return {"brand_id": 1, "number": number, "deadline": START + 86_400, "entries": entries, "details": [detail]}


def _asked(shop: Shop, request: dict[str, Any]) -> httpx.Response | None:
    """None where the agent did not live to answer."""
    with shop.agent.till(token=(shop.agent.folder / "token").read_text().strip()) as gateway:
        try:
            return gateway.post("/sign-batch", json=request)
        except httpx.HTTPError:
            return None


def _await_state(till: httpx.Client, step: str, payment_id: str) -> None:
    """`marked`: the gateway's answer is on disk. `journaled`: the till has been answered, which is now."""
    for _ in range(6_000):
        if step == "journaled" or till.get(f"/v1/purchases/{payment_id}").json()["state"] == "answered":
            return
        sleep(0.01)
    raise AssertionError(payment_id)


def _await_dead(shop: Shop) -> None:
    for _ in range(6_000):
        if shop.agent.process is None:
            return
        sleep(0.01)
    raise AssertionError("the agent was not killed")


@contextmanager
def _between(shop: Shop, step: str) -> Iterator[None]:
    """At `sent` and `answered` something stands between agent and gateway, and kills the agent: before the gateway has the request, or
    once it has answered and before the agent hears of it. At `journaled` the gateway is away."""
    shop.gateway.stop()
    if step == "marked":
        shop.gateway.start()
        yield
        return
    if step == "journaled":
        yield
        shop.gateway.start()
        return
    place, shop.gateway.port = shop.gateway.port, free_port()
    shop.gateway.start()
    with _proxy(place, shop.gateway.url, step, shop.agent.kill):
        yield
    shop.gateway.stop()
    shop.gateway.port = place
    shop.gateway.start()


@contextmanager
def _proxy(port: int, url: str, step: str, kill: Callable[[], None]) -> Iterator[None]:
    lock = threading.Lock()

    class Between(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if step == "answered":
                sent = {name: self.headers[name] for name in ("Authorization", "Idempotency-Key", "Content-Type")}
                assert httpx.post(url + self.path, content=content, headers=sent, trust_env=False).status_code in (201, 202)
            with lock:
                kill()

        def do_GET(self) -> None:  # its coalition, asked without a key; whether it knows its newest operation still
            sent = {"Authorization": key} if (key := self.headers["Authorization"]) else {}
            found = httpx.get(url + self.path, headers=sent, trust_env=False)
            self.send_response(found.status_code)
            self.send_header("Content-Length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Between)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
