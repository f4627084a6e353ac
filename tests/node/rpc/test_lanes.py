"""Whatever runs code or looks through much for its callers holds up no send, no receipt and no read, and has a bound."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from py_ecc.optimized_bn128 import G1, G2, normalize
from websockets.sync.client import connect

from node.chain.budget import Budget
from node.rpc import lanes
from node.rpc.dispatch import Dispatcher
from node.rpc.methods import method_table
from tests.node.rpc.limited_node import ENDLESS, ENDLESS_LOOP, MANY_ROUNDS, PLACE, LimitedNode, limited_node, on_code
from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
CALLERS = 8
CODE = {PLACE: {"code": ENDLESS_LOOP}}
PROOF: tuple[str, list[Any]] = ("eth_getProof", [PLACE, [hex(slot) for slot in range(1_024)], "latest"])
SHORT = ("eth_call", on_code("0x5f5f5260205ff3"))
Asked = tuple[str, list[Any]]


def _words(*numbers: int) -> str:
    return "".join(f"{number:064x}" for number in numbers)


def _pairs(count: int) -> str:
    (x, y), (u, v) = normalize(G1), normalize(G2)
    return "0x" + _words(int(x), int(y), *(int(part) for point in (u, v) for part in reversed(point.coeffs))) * count


def _power(modulus: int, exponent: int) -> str:
    """Base and modulus of so many bytes, an exponent of so many."""
    return "0x" + _words(modulus, exponent, modulus) + "7b" * modulus + "fd" * exponent + "c5" * modulus


def _at(precompile: int, data: str) -> Asked:
    return "eth_call", [{"to": f"0x{precompile:040x}", "data": data}]


LONG: dict[str, list[Asked]] = {
    "calls": [ENDLESS],
    "estimates": [("eth_estimateGas", on_code(ENDLESS_LOOP))],
    "access lists": [("eth_createAccessList", on_code(ENDLESS_LOOP))],
    "traces": [("debug_traceCall", [{"to": PLACE}, "latest", {"stateOverrides": CODE, "tracer": "prestateTracer"}])],
    "simulations": [("eth_simulateV1", [{"blockStateCalls": [{"stateOverrides": CODE, "calls": [{"to": PLACE}]}]}])],
    "batches of calls": [("eth_chainId", []), *[ENDLESS] * 99],
    "batches of proofs": [PROOF] * 200,
    "pairings": [_at(8, _pairs(400))],
    "powers of long exponents": [_at(5, _power(64, 250_000))],
    "powers of long moduli": [_at(5, _power(7_000, 32))],
}


SAMPLE = ("calls", "batches of proofs")


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[RunningNode]:
    """Each test's own: what is endless goes on for a while after its callers have left."""
    with RunningNode(tmp_path / "data", ("--operator", OPERATOR.address)) as node:
        yield node


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LimitedNode]:
    with limited_node(tmp_path_factory.mktemp("places") / "data") as node:
        yield node


@pytest.mark.parametrize("kind", [kind if kind in SAMPLE else pytest.param(kind, marks=pytest.mark.deep) for kind in LONG])
def test_beside_eight_who_ask_for_what_is_endless_sends_and_reads_are_answered_and_short_calls_too(
    attacked: RunningNode, kind: str
) -> None:
    with _callers(attacked.url, LONG[kind]):
        started = time.monotonic()
        for _ in range(3):
            assert attacked.send(OPERATOR, to=PLACE, value=1)["status"] == "0x1"
            assert int(attacked.call("eth_blockNumber"), 16) > 0
        assert time.monotonic() - started < 3
        assert attacked.call(*_flat(SHORT)) == "0x" + "00" * 32
        assert attacked.call("eth_getLogs", {"fromBlock": "0x0"}) == []
        assert time.monotonic() - started < 30


@pytest.mark.deep
def test_what_keeps_the_interpreter_to_itself_does_so_once_between_two_answers(attacked: RunningNode) -> None:
    with _callers(attacked.url, [MANY_ROUNDS]):
        started = time.monotonic()
        for _ in range(3):
            attacked.send(OPERATOR, to=PLACE, value=1)
        assert time.monotonic() - started < 12


@pytest.mark.deep
def test_a_websocket_is_answered_beside_them(attacked: RunningNode) -> None:
    with _callers(attacked.url, [ENDLESS]), connect(attacked.url.replace("http", "ws")) as socket:
        socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}))
        subscription = json.loads(socket.recv(timeout=3))["result"]
        attacked.send(OPERATOR, to=PLACE, value=1)
        assert json.loads(socket.recv(timeout=3))["params"]["subscription"] == subscription


def test_who_finds_no_place_is_told_to_try_again_and_finds_one_later(limited: LimitedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LONG_MAX", 2)
    busy = {"code": -32005, "message": "too many long requests at once (at most 2): try again in some seconds"}
    with limited.serving(Budget) as client:
        places = [threading.Thread(target=_post, args=(client, [ENDLESS])) for _ in range(2)]
        for each in places:
            each.start()
        while _post(client, [SHORT])[0].get("error") != busy:  # both are at work soon
            pass
        assert [answer.get("error") for answer in _post(client, [("eth_chainId", []), SHORT, ("eth_chainId", [])])] == [None, busy, busy]
        assert _post(client, [("eth_chainId", [])])[0]["result"] == "0x7"
        for each in places:
            each.join()
        assert _post(client, [SHORT])[0]["result"] == "0x" + "00" * 32


def test_more_than_have_a_thread_wait_for_one_and_are_answered(limited: LimitedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "LONG_THREADS", 2)
    answers: list[Any] = []
    with limited.serving(Budget) as client:
        threads = [threading.Thread(target=lambda: answers.extend(_post(client, [SHORT] * 3))) for _ in range(20)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert [answer["result"] for answer in answers] == ["0x" + "00" * 32] * 60


def test_what_runs_code_may_take_long_and_what_looks_up_may_not(limited: LimitedNode) -> None:
    dispatcher = Dispatcher(method_table(limited.view))
    runs_code = ("eth_call", "eth_estimateGas", "eth_createAccessList", "eth_simulateV1", "eth_sendTransaction", "eth_getLogs")
    traces = ("debug_traceCall", "debug_traceTransaction", "debug_traceBlockByNumber", "debug_traceBlockByHash")
    assert all(dispatcher.may_take_long({"method": name, "params": []}) for name in runs_code + traces)
    looks_up = ("eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getProof", "eth_getBlockReceipts", "eth_blockNumber", "no such")
    assert not any(dispatcher.may_take_long({"method": name, "params": []}) for name in looks_up)
    for name in ("eth_getBlockByNumber", "eth_getBlockTransactionCountByNumber"):
        assert dispatcher.may_take_long({"method": name, "params": ["pending", False]})
        assert not any(dispatcher.may_take_long({"method": name, "params": params}) for params in (["latest"], ["0x1"], None, "pending", 7))
    assert not any(dispatcher.may_take_long(request) for request in (None, 7, "eth_call", [], {}, {"method": ["eth_call"]}))


@contextmanager
def _callers(url: str, asked: list[Asked]) -> Iterator[None]:
    """Eight that ask for this again and again, each on its own connection."""
    over, begun = threading.Event(), threading.Semaphore(0)

    def call() -> None:
        with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
            while not over.is_set():
                begun.release()
                try:
                    _post(client, asked)
                except httpx.TransportError:  # it was told to stop
                    return

    for _ in range(CALLERS):
        threading.Thread(target=call, daemon=True).start()
    for _ in range(CALLERS):
        begun.acquire()
    time.sleep(0.5)  # in which what they sent is at work
    try:
        yield
    finally:
        over.set()


def _post(client: httpx.Client, asked: list[Asked]) -> list[dict[str, Any]]:
    requests = [{"jsonrpc": "2.0", "id": number, "method": method, "params": params} for number, (method, params) in enumerate(asked)]
    return list(client.post("/", json=requests).json())


def _flat(asked: Asked) -> tuple[Any, ...]:
    return asked[0], *asked[1]
