"""What an attacker does beside honest brands until it is over. Each notes in `reached` what shows that it got where it meant to go."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from socket import create_connection, socket
from typing import Any
from urllib.parse import urlsplit

import httpx
from eth_account import Account

from gateway.api.limits import HEAD_BYTES
from gateway.brand_signer.register_writer import RegisterWriter, order_record
from gateway.brands.rows import SqlBrands
from gateway.coalition.rows import SqlCoalition, business_clock
from gateway.ledger.consents import NO_ORDER
from gateway.redemption.redemption_request import RedemptionRequest, consent_of
from gateway.store.unit_of_work import reading
from tests.builders.coalition import new_id
from tests.builders.served_gateway import status_of
from tests.depth import DEPTH, Depth
from tests.gateway.hostile.attacked import point_at
from tests.gateway.hostile.honest_brands import ATTACKER, AttackedGateway
from tests.gateway.hostile.hostile_signer import HostileSigner, hostile
from tests.node.rpc.limited_node import ENDLESS_LOOP, on_code

SOAK = DEPTH is Depth.SOAK
FLOODS = 60 if SOAK else 12  # of 500 purchases
REDEMPTIONS = 3_100 if SOAK else 150
DRIPPING = 60  # connections
Reached = list[Any]
Attack = Callable[[AttackedGateway, threading.Event, Reached], None]


def floods(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """30,000 purchases in bulk; fewer in the sample."""
    members = [str(member) for member in gateway.coalition.member_keys]
    with _client(gateway) as client:
        for _ in range(FLOODS):
            if over.is_set():
                return
            sales = [gateway.sale(members[number % len(members)]) for number in range(500)]
            answer = client.post("/v1/purchases/bulk", json={"purchases": sales}, headers=gateway.headers(ATTACKER))
            _note(reached, answer.status_code in (201, 202), answer.status_code)


def asks_for_little_often(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """3,100 redemptions of a point each, with their members' consents, as fast as they are answered; what is on the ledger counts."""
    bodies = iter(_redemptions(gateway, REDEMPTIONS))
    lock = threading.Lock()

    def ask() -> None:
        while not over.is_set():
            with lock:
                body = next(bodies, None)
            if body is None:
                return
            answer = client.post("/v1/redemptions", json=body, headers=gateway.headers(ATTACKER))
            assert answer.status_code in (201, 202, 429), answer.text

    with _client(gateway) as client:
        _at_once(8, ask)
    for _ in range(600):
        if done := gateway.redeemed(ATTACKER):
            reached += [done]
            return
        time.sleep(0.1)


def waits(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """140 calls that wait for a ledger that will not have them: the attacker's till lists nothing."""
    member = str(next(iter(gateway.coalition.member_keys)))

    def one() -> None:
        with suppress(httpx.TransportError):
            began = time.monotonic()
            client.post("/v1/purchases", json=gateway.sale(member), headers={**gateway.headers(ATTACKER), "Prefer": "wait=30"})
            _note(reached, time.monotonic() - began > 1, "waited")

    with _client(gateway) as client:
        _at_once(140, one)


def sends_nothings(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """[[],[],…] in bodies as large as may be."""
    body = b"[" + b"[]," * 80_000 + b"[]]"

    def one() -> None:
        while not over.is_set():
            with suppress(httpx.TransportError):
                reached.append(client.post("/v1/purchases", content=body, headers=gateway.headers(ATTACKER)).status_code)

    with _client(gateway) as client:
        _at_once(8, one)


def asks_again_at_once(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """Redemptions of points that nobody has: refused, and asked again under the same key without a pause."""
    [body] = _redemptions(gateway, 1, points=10**8)

    def one() -> None:
        headers = gateway.headers(ATTACKER)
        while not over.is_set():
            with suppress(httpx.TransportError):
                answer = client.post("/v1/redemptions", json=body, headers=headers)
                _note(reached, answer.status_code >= 400, answer.json()["code"])

    with _client(gateway) as client:
        _at_once(8, one)


def drips_without_a_key(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """Sixty connections that come a byte at a time: half never end their headers, half announce a body under a key that is none."""
    unauthenticated = b"POST /v1/purchases HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer no.key\r\nContent-Length: 200000\r\n\r\n"
    starts = itertools.cycle((b"POST /v1/purchases HTTP/1.1\r\n", unauthenticated))
    with ExitStack() as opened:
        dripping: list[tuple[socket, float]] = []
        while not over.wait(0.2):
            while len(dripping) < DRIPPING:
                one = opened.enter_context(_connected(gateway))
                one.sendall(next(starts))
                dripping.append((one, time.monotonic()))
            for one, since in list(dripping):
                try:
                    one.sendall(b"x")
                except OSError:  # the gateway had enough of it
                    dripping.remove((one, since))
                    reached.append(time.monotonic() - since)
                else:
                    _note(reached, time.monotonic() - since > 1, "drips on")


def sends_huge_heads(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """Headers and URLs of a megabyte, one connection after the other."""
    long = b"x" * 2**20
    heads = itertools.cycle(
        (b"GET /v1/" + long + b" HTTP/1.1\r\nHost: localhost\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + long)
    )
    while not over.is_set():
        with _connected(gateway) as one:
            head = next(heads)
            one.sendall(head[: 2 * HEAD_BYTES])
            with suppress(OSError):
                one.sendall(head[2 * HEAD_BYTES :])
            reached.append(status := status_of(one))
            assert status in (0, 400, 414, 431), status


def calls_without_end(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """Eight who call the ledger's node to run a loop for as long as it will."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": on_code(ENDLESS_LOOP)}

    def one() -> None:
        with httpx.Client(timeout=60, trust_env=False) as client:
            while not over.is_set():
                said = client.post(gateway.coalition.node.url, json=asked).json()["error"]["message"]
                _note(reached, said.startswith("execution aborted"), said)

    _at_once(8, one)


def asks_what_is_open(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
    """Thirty strangers who ask for what needs no key, as fast as they are answered."""
    paths = itertools.cycle(("/v1/coalition", "/v1/checkpoints", "/v1/coalition/admission-criteria", "/readyz"))

    def one() -> None:
        with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False) as client:
            while not over.is_set():
                with suppress(httpx.TransportError):
                    status = client.get(next(paths)).status_code
                    _note(reached, status in (200, 429), status)

    _at_once(30, one)


def signs_with(misdeed: Callable[[HostileSigner, socket], None]) -> Attack:
    """Sells, too, and its signer does this when it is asked."""

    def attack(gateway: AttackedGateway, over: threading.Event, reached: Reached) -> None:
        with hostile(misdeed) as signer:
            point_at(gateway.coalition, ATTACKER, signer.url)
            members = [str(member) for member in gateway.coalition.member_keys]
            with _client(gateway) as client:
                while not over.wait(0.2):
                    for member in members:
                        client.post("/v1/purchases", json=gateway.sale(member), headers=gateway.headers(ATTACKER))
            reached += signer.asked_at
        point_at(gateway.coalition, ATTACKER, gateway.coalition.brands[ATTACKER].url)

    return attack


def _redemptions(gateway: AttackedGateway, count: int, points: int = 1) -> list[dict[str, Any]]:
    """Bodies that members signed, and whose orders the attacker's till lists."""
    coalition = gateway.coalition
    with reading(coalition.database, business_clock()) as work:
        brand, domain = work.of(SqlBrands).find(ATTACKER), work.of(SqlCoalition).facts.signing_domain
    assert brand is not None
    discount_minor, at = brand.redemption.minor_for(points), datetime.fromtimestamp(coalition.now, UTC)
    bodies, records = [], []
    for member_id, key in itertools.islice(itertools.cycle(coalition.member_keys.items()), count):
        unsigned = RedemptionRequest(
            new_id("little"), member_id, points, discount_minor, NO_ORDER, next(_nonces), coalition.now + 3_600, 1, b""
        )
        digest = consent_of(unsigned, brand).digest(domain)
        records.append(order_record(unsigned.order_id, str(member_id), points, at, one_step=True))
        bodies.append(
            {
                "order_id": unsigned.order_id,
                "member_id": str(member_id),
                "points": points,
                "discount_minor": discount_minor,
                "order_hash": str(NO_ORDER),
                "nonce": unsigned.nonce,
                "deadline": unsigned.deadline,
                "proof": "0x" + bytes(Account.unsafe_sign_hash(digest, key.key).signature).hex(),
            }
        )
    register = RegisterWriter(coalition.brands[ATTACKER].folder / "sales.jsonl")
    register.append(records)
    register.close()
    return bodies


_nonces: Iterator[int] = itertools.count(10**12)


def _note(reached: Reached, is_so: bool, what: Any) -> None:
    if is_so:
        reached.append(what)


def _connected(gateway: AttackedGateway) -> socket:
    parts = urlsplit(gateway.url)
    return create_connection((parts.hostname or "", parts.port or 0), timeout=30)


def _client(gateway: AttackedGateway) -> httpx.Client:
    """One for all that an attack sends: to make one for each call costs this process, which measures, more than the gateway."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    return httpx.Client(base_url=gateway.url, timeout=60, trust_env=False, limits=limits)


def _at_once(threads: int, act: Callable[[], Any]) -> None:
    started = [threading.Thread(target=act, daemon=True) for _ in range(threads)]
    for each in started:
        each.start()
    for each in started:
        each.join()
