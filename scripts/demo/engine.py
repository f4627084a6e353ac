"""The Ethereum node under the demo: one of its own, or an engine that somebody else started (`--rpc`).

An outside engine must be a test engine that lets its time be set; the operator's account is paid from one of its unlocked accounts.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import httpx

from scripts.demo.chain_clock import ChainClock, EngineRefused
from scripts.demo.data_directory import DataDirectory
from scripts.demo.processes import Supervisor

HOST = "127.0.0.1"
ETHER = 10**18
OPERATOR_NEEDS_WEI = 10 * ETHER  # the whole walk burns less than one where a unit of gas costs 1 gwei
PAID_WITHIN_SECONDS = 30
CLOCK_MAY_BE_AHEAD_SECONDS = 3_600


class UnfitEngine(Exception):
    """The engine cannot carry this walk; the message says what to do."""


def start_own_node(directory: DataDirectory, supervisor: Supervisor, port: int, operator: str, first_second: int) -> str:
    """A durable sandbox node on this directory, the operator funded in its genesis of `first_second`; its URL."""
    url = f"http://{HOST}:{port}"
    node = ["-m", "node", "run", "--data", str(directory.node), "--port", str(port), "--init", "--sandbox"]
    node += ["--operator", operator, "--timestamp", str(first_second)]
    supervisor.start("node", node, lambda: _answers(url), restart=True)
    return url


def meet_engine(directory: DataDirectory, url: str, operator: str, first_second: int) -> None:
    """Makes an outside engine ready for a new walk: its time is set and the operator's account funded. A walk under way is left alone."""
    clock = ChainClock(url, retry_seconds=0)
    try:
        if int(clock.call("eth_getTransactionCount", operator, "latest"), 16) > 0:
            return
        if directory.walk.exists():
            raise UnfitEngine(
                f"{directory.root} holds a walk that the engine at {url} knows nothing of: "
                "give the engine that it began on, with its state, or start anew with --fresh"
            )
        _set_time(clock, url, first_second)
        _fund(clock, url, operator)
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as problem:
        raise UnfitEngine(f"No Ethereum node answers at {url}: {problem}") from problem
    finally:
        clock.close()


def check_same_chain(clock: ChainClock, url: str, genesis_hash: str) -> None:
    """The engine serves the chain that the gateway's database is about."""
    served = clock.call("eth_getBlockByNumber", "0x0", False)["hash"]
    if served.lower() != genesis_hash:
        raise UnfitEngine(
            f"This walk is on the chain with genesis {genesis_hash}; {url} serves {served}: "
            "give the engine that it began on, with its state, or start anew with --fresh"
        )


def _set_time(clock: ChainClock, url: str, first_second: int) -> None:
    """Brings the engine to the beginning of the walk; a test engine whose time has passed it is set back if it lets itself be."""
    if _is_past(clock, first_second):
        try:
            clock.call("evm_setTime", hex(first_second))
            clock.call("evm_mine")
        except EngineRefused:
            pass
    if _is_past(clock, first_second):
        newest = datetime.fromtimestamp(clock.head_timestamp(), UTC)
        raise UnfitEngine(
            f"The newest block at {url} is of {newest:%Y-%m-%d %H:%M} UTC, after the first day of the sales. Start the engine at their "
            f"beginning: `anvil --timestamp {first_second}`, or `python -m node run --init --sandbox --timestamp {first_second} …`"
        )
    try:
        clock.advance_to(max(first_second, clock.head_timestamp() + 1))
    except EngineRefused as refused:
        raise UnfitEngine(
            f"The engine at {url} does not let its time be set ({refused}): the walk goes through months in minutes and needs a test "
            "engine with evm_setNextBlockTimestamp and evm_mine, such as anvil, Hardhat or `python -m node run --sandbox`"
        ) from refused


def _is_past(clock: ChainClock, first_second: int) -> bool:
    return clock.head_timestamp() > first_second + CLOCK_MAY_BE_AHEAD_SECONDS


def _fund(clock: ChainClock, url: str, operator: str) -> None:
    """From the first unlocked account that has enough."""
    held = _balance(clock, operator)
    if held >= OPERATOR_NEEDS_WEI:
        return
    for account in _unlocked_accounts(clock):
        if _balance(clock, account) < 2 * OPERATOR_NEEDS_WEI:
            continue
        payment = {"from": account, "to": operator, "value": hex(OPERATOR_NEEDS_WEI)}
        if _is_mined(clock, clock.call("eth_sendTransaction", payment)):
            return
    raise UnfitEngine(
        f"The operator's account {operator} has {held / ETHER:g} ether at {url}, and the engine has no unlocked account to pay it from. "
        f"Send it {OPERATOR_NEEDS_WEI // ETHER} ether (`python -m node run --init --operator {operator}` does so in the genesis), "
        "then give the same command again without --fresh, which would make another account"
    )


def _unlocked_accounts(clock: ChainClock) -> list[str]:
    try:
        accounts: list[str] = clock.call("eth_accounts")
    except EngineRefused:
        return []
    return accounts


def _balance(clock: ChainClock, address: str) -> int:
    return int(clock.call("eth_getBalance", address, "latest"), 16)


def _is_mined(clock: ChainClock, transaction_hash: str) -> bool:
    deadline = time.monotonic() + PAID_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if clock.call("eth_getTransactionReceipt", transaction_hash):
            return True
        time.sleep(0.05)
    return False


def _answers(url: str) -> bool:
    try:
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        return "result" in httpx.post(url, json=body, timeout=2).json()
    except (httpx.TransportError, ValueError):
        return False
