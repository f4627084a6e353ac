"""A running node with over a thousand blocks of changes to a contract of some thousand slots, and what each slot held at two of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.node.running_node import RunningNode, throwaway_account

OPERATOR = throwaway_account("operator")
ARGUMENTS = ("--sandbox", "--operator", OPERATOR.address)
SLOTS = 3_000
BLOCKS = 1_000
SLOTS_AT_ONCE = 600
REQUESTS_AT_ONCE = 200
SEED = 1_186
STORES_PAIRS = "5f5b803611600957005b8060200135813555604001600156"  # for p in range(0, CALLDATASIZE, 64): SSTORE(word at p, the next)
CREATION = "0x60188060095f395ff3" + STORES_PAIRS  # CODECOPY(0, 9, 24), RETURN(0, 24)


@dataclass(frozen=True)
class DeepChain:
    """`then` and `now` are the slots that hold something, BLOCKS apart; `cleared` were emptied in between."""

    node: RunningNode
    contract: str
    block_then: int
    block_now: int
    then: dict[int, int]
    now: dict[int, int]

    @property
    def cleared(self) -> list[int]:
        return sorted(self.then.keys() - self.now.keys())

    def state_root(self, number: int) -> str:
        return str(self.node.call("eth_getBlockByNumber", hex(number), False)["stateRoot"])

    def proof(self, address: str, slots: list[int], number: int) -> dict[str, Any]:
        return dict(self.node.call("eth_getProof", address, [hex(slot) for slot in slots], hex(number)))


def run_deep_chain(data: Path) -> DeepChain:
    """The caller stops the node."""
    node = RunningNode(data, ARGUMENTS).start()
    contract = node.send(OPERATOR, data=CREATION)["contractAddress"]
    dice, held = Random(SEED), dict[int, int]()
    for first in range(0, SLOTS, SLOTS_AT_ONCE):
        pairs = [(slot, dice.randrange(1, 1 << dice.choice((8, 64, 256)))) for slot in range(first, first + SLOTS_AT_ONCE)]
        assert node.send(OPERATOR, to=contract, data=_words(pairs), gas=2**24)["status"] == "0x1"
        held |= dict(pairs)
    block_then, then = int(node.call("eth_blockNumber"), 16), dict(held)
    first_nonce, requests = node.nonce(OPERATOR), []
    for nonce in range(first_nonce, first_nonce + BLOCKS):
        pair = dice.randrange(SLOTS), dice.choice((0, dice.randrange(1, 1 << 256)))
        held[pair[0]] = pair[1]
        raw = node.signed(OPERATOR, nonce=nonce, to=contract, data=_words([pair]))
        requests += [("eth_sendRawTransaction", [raw]), ("evm_mine", [])]
    node.call("evm_setAutomine", False)
    for start in range(0, len(requests), REQUESTS_AT_ONCE):
        _ask_all(node, requests[start : start + REQUESTS_AT_ONCE])
    block_now = int(node.call("eth_blockNumber"), 16)
    assert block_now == block_then + BLOCKS, "each transaction has a block of its own"
    return DeepChain(node, contract, block_then, block_now, then, {slot: value for slot, value in held.items() if value})


def _ask_all(node: RunningNode, requests: list[tuple[str, list[Any]]]) -> None:
    assert node.client is not None
    batch = [{"jsonrpc": "2.0", "id": index, "method": method, "params": params} for index, (method, params) in enumerate(requests)]
    answers = node.client.post("/", json=batch).json()
    assert all("error" not in answer for answer in answers), answers


def _words(pairs: list[tuple[int, int]]) -> str:
    return "0x" + "".join(f"{slot:064x}{value:064x}" for slot, value in pairs)
