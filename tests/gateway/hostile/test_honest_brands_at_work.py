"""No brand can hurt another: four honest brands sell beside an attacker, and it is as if it were not there.

At soak the honest brands tell 25 sales a second each and are measured by the bounds; the sample is smaller, and its times are bounded from
far alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import socket
from typing import Any

import httpx
import pytest

from tests.builders.coalition import CoalitionBuilder, new_id, running_coalition
from tests.depth import DEPTH, Depth
from tests.gateway.hostile.attacked import point_at
from tests.gateway.hostile.honest_brands import ATTACKER, HONEST, MOST_MB, AttackedGateway, attacked_gateway, start, stop
from tests.gateway.hostile.hostile_signer import HostileSigner, drips, gzip_bomb, hangs, hostile, nested, never_ends, refuses

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]
SOAK = DEPTH is Depth.SOAK
RATE, SECONDS = (25.0, 20.0) if SOAK else (3.0, 4.0)
CONFIRMED_WITHIN = 60 if SOAK else 300  # of a machine that does much else
FLOODS = 60 if SOAK else 12  # of 500 purchases
Attack = Callable[[AttackedGateway, threading.Event], None]


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("attacked"), (ATTACKER, *HONEST), members=20, not_yet_seconds=600) as coalition:
        yield coalition


def floods(gateway: AttackedGateway, over: threading.Event) -> None:
    """30,000 purchases in bulk; fewer in the sample."""
    members = [str(member) for member in gateway.coalition.member_keys]
    with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False) as client:
        for _ in range(FLOODS):
            if over.is_set():
                return
            sales = [gateway.sale(members[number % len(members)]) for number in range(500)]
            client.post("/v1/purchases/bulk", json={"purchases": sales}, headers=gateway.headers(ATTACKER))


def asks_for_little_often(gateway: AttackedGateway, over: threading.Event) -> None:
    """3,100 requests that are refused, as fast as they are answered."""
    with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False) as client:
        for _ in range(3_100):
            if over.is_set():
                return
            client.post("/v1/authorizations", json={"order_id": new_id("order")}, headers=gateway.headers(ATTACKER))


def waits(gateway: AttackedGateway, over: threading.Event) -> None:
    """140 calls that wait for a ledger that will not have them: the attacker's till lists nothing."""
    member = str(next(iter(gateway.coalition.member_keys)))

    def one() -> None:
        with suppress(httpx.TransportError):
            client.post("/v1/purchases", json=gateway.sale(member), headers={**gateway.headers(ATTACKER), "Prefer": "wait=30"})

    with _many_connections(gateway) as client:
        _at_once(140, one)


def sends_nothings(gateway: AttackedGateway, over: threading.Event) -> None:
    """[[],[],…] in bodies as large as may be."""
    body = b"[" + b"[]," * 80_000 + b"[]]"

    def one() -> None:
        while not over.is_set():
            with suppress(httpx.TransportError):
                client.post("/v1/purchases", content=body, headers=gateway.headers(ATTACKER))

    with _many_connections(gateway) as client:
        _at_once(8, one)


def signs_with(misdeed: Callable[[HostileSigner, socket], None]) -> Attack:
    """Sells, too, and its signer does this when it is asked."""

    def attack(gateway: AttackedGateway, over: threading.Event) -> None:
        with hostile(misdeed) as signer:
            point_at(gateway.coalition, ATTACKER, signer.url)
            members = [str(member) for member in gateway.coalition.member_keys]
            with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False) as client:
                while not over.wait(0.2):
                    for member in members:
                        client.post("/v1/purchases", json=gateway.sale(member), headers=gateway.headers(ATTACKER))
        point_at(gateway.coalition, ATTACKER, gateway.coalition.brands[ATTACKER].url)

    return attack


ATTACKS: dict[str, Attack] = {
    "floods": floods,
    "asks for little, often": asks_for_little_often,
    "140 that wait": waits,
    "bodies of nothings": sends_nothings,
    "a signer that hangs": signs_with(hangs),
    "a signer that drips": signs_with(drips),
    "a signer that never ends": signs_with(never_ends),
    "a signer that sends a bomb": signs_with(gzip_bomb()),
    "a signer of nested JSON": signs_with(nested()),
    "a signer with an index of 2^70": signs_with(refuses(str(2**70))),
    "a signer with an index of 1e999": signs_with(refuses("1e999")),
    "a signer with a lone surrogate": signs_with(refuses("0", '"\\ud800"')),
}
SAMPLE = ("floods", "a signer that hangs")


@pytest.mark.parametrize("name", ATTACKS if SOAK else SAMPLE)
def test_honest_brands_sell_as_if_nobody_attacked(coalition: CoalitionBuilder, name: str) -> None:
    with attacked_gateway(coalition) as gateway:
        quiet = gateway.work(RATE, SECONDS)
        assert not quiet.failed
        with _under(ATTACKS[name], gateway):
            beside = gateway.work(RATE, SECONDS)
        done, asked = gateway.await_confirmed(0.95, CONFIRMED_WITHIN)
        assert not beside.failed, beside.failed[:5]
        assert done >= 0.95 * asked, f"{done} of {asked} are on the ledger"
        bound = max(2 * quiet.p99, 0.25) if SOAK else max(20 * quiet.p99, 10.0)
        assert beside.p99 <= bound, f"p99 {beside.p99 * 1000:.0f} ms beside the attacker, {quiet.p99 * 1000:.0f} ms without"
        assert gateway.memory_mb() < MOST_MB
        assert stop(gateway.process) < 40
        process, _url = start(coalition)  # what the attacker left behind keeps nobody from starting again
        stop(process)
    print(f"{name}: p99 {beside.p99 * 1000:.0f} ms, quiet {quiet.p99 * 1000:.0f} ms, {done} of {asked} confirmed")


@contextmanager
def _under(attack: Attack, gateway: AttackedGateway) -> Iterator[None]:
    over = threading.Event()

    def run() -> None:
        with suppress(httpx.TransportError):
            attack(gateway, over)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def _many_connections(gateway: AttackedGateway) -> httpx.Client:
    """One client: to make one for each call costs this process, which measures, more than the gateway."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    return httpx.Client(base_url=gateway.url, timeout=40, trust_env=False, limits=limits)


def _at_once(threads: int, act: Callable[[], Any]) -> None:
    started = [threading.Thread(target=act, daemon=True) for _ in range(threads)]
    for each in started:
        each.start()
    for each in started:
        each.join()
