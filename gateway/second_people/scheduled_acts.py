"""Acts that stand on the ledger, by governance's own events on a node of the person's choice: what a gateway shows hides none of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from gateway.chain.artifacts import contract_named
from gateway.chain.connection import Chain, NodeRefused
from gateway.chain.shapes import Log, log_of
from gateway.ledger.governance import ACT_LIFETIME_SECONDS, NO_PREDECESSOR
from gateway.second_people.act_words import read_call
from gateway.second_people.known_coalition import KnownCoalition
from gateway.values.errors import NotFound, Refusal, Unavailable
from gateway.values.hex import from_int, hex_text, to_bytes, to_int
from gateway.values.ids import Address, Hash

BLOCKS_PER_ASK = 10_000
ACTS_PER_ASK = 200
_DONE = 1  # the timelock's timestamp of an act that was executed
_TOPICS = [
    hex_text(keccak(signature))
    for signature in (b"CallScheduled(bytes32,uint256,address,uint256,bytes,bytes32,uint256)", b"CallSalt(bytes32,bytes32)")
]


@dataclass(frozen=True, slots=True)
class ScheduledCall:
    """What governance is to call, with how much ether."""

    target: Address
    value: int
    data: bytes

    def words(self, coalition: KnownCoalition) -> str:
        """Told as far as it can be: an act is looked at and stopped whatever it says."""
        brand, artifact = self.replaces_owner_of(coalition), coalition.artifact_at(self.target)
        try:
            if artifact is not None and not self.value:
                return read_call(artifact, self.data).words
        except Refusal:
            pass
        named = "another contract" if artifact is None else artifact.name
        ether = f" and sends it {self.value:,} wei" if self.value else ""
        owner = "" if brand is None else f"; it takes brand {brand} from its present owner, who can veto it"
        return f"calls {hex_text(self.data[:4])} of {named} at {self.target}{ether}, which cannot be told in words{owner}"

    def replaces_owner_of(self, coalition: KnownCoalition) -> int | None:
        """The brand whose owner it replaces: bytes that follow the arguments change nothing for the contract."""
        artifact = contract_named("Brands")
        if self.target != coalition.contracts["Brands"] or self.data[:4] != artifact.selector("setBrandOwner"):
            return None
        try:
            return int(artifact.arguments("setBrandOwner", self.data)[0])
        except Unavailable:
            return None


@dataclass(frozen=True, slots=True)
class ScheduledAct:
    """It waits, or is ready from `ready_at` on by the chain. Several calls are a batch."""

    act_id: Hash
    calls: tuple[ScheduledCall, ...]
    predecessor: bytes
    salt: Hash
    ready_at: int

    def words(self, coalition: KnownCoalition) -> str:
        return "; ".join(call.words(coalition) for call in self.calls)


def scheduled_acts(chain: Chain, coalition: KnownCoalition) -> list[ScheduledAct]:
    """Those that may still be executed, in the order of their proposal."""
    at = coalition.contracts["Governance"]
    head = chain.call("eth_getBlockByNumber", "latest", False)
    return _standing(chain, at, _logs(chain, at, [_TOPICS], to_int(head["number"])), to_int(head["timestamp"]))


def scheduled_act(chain: Chain, coalition: KnownCoalition, act_id: Hash) -> ScheduledAct:
    """Raises NotFound where none of this id waits."""
    at = coalition.contracts["Governance"]
    head = chain.call("eth_getBlockByNumber", "latest", False)
    logs = _logs(chain, at, [_TOPICS, hex_text(act_id)], to_int(head["number"]))
    found = _standing(chain, at, logs, to_int(head["timestamp"]))
    if not found:
        raise NotFound(f"no act {act_id} waits on the chain: `splittally acts` lists those that do", act_id=str(act_id))
    return found[0]


def _standing(chain: Chain, governance: Address, logs: Iterator[Log], now: int) -> list[ScheduledAct]:
    """Salt and calls of an act are events of their own; the salt of zeros has none."""
    artifact = contract_named("Governance")
    calls: dict[Hash, list[ScheduledCall]] = defaultdict(list)
    predecessors: dict[Hash, bytes] = {}
    salts: dict[Hash, Hash] = {}
    for event in filter(None, map(artifact.event, logs)):
        act, of = Hash(event.values["id"]), event.values
        if event.name == "CallSalt":
            salts[act] = Hash(of["salt"])
        else:
            calls[act].append(ScheduledCall(of["target"], of["value"], of["data"]))
            predecessors[act] = of["predecessor"]
    ready = dict(zip(calls, _ready_at(chain, governance, list(calls)), strict=True))
    return [
        ScheduledAct(act, tuple(calls[act]), predecessors[act], salts.get(act, Hash(NO_PREDECESSOR)), ready[act])
        for act in calls
        if ready[act] > _DONE and now <= ready[act] + ACT_LIFETIME_SECONDS
    ]


def _ready_at(chain: Chain, governance: Address, acts: Sequence[Hash]) -> Iterator[int]:
    """By the contract: 0 for what was cancelled."""
    artifact = contract_named("Governance")
    asked = [("eth_call", ({"to": hex_text(governance), "data": hex_text(artifact.call("getTimestamp", act))}, "latest")) for act in acts]
    for first in range(0, len(asked), ACTS_PER_ASK):
        for answer in chain.call_all(asked[first : first + ACTS_PER_ASK]):
            if isinstance(answer, NodeRefused):
                raise Unavailable(f"{chain.rpc_url} does not say which acts wait ({answer}): name another node") from answer
            yield int(artifact.returned("getTimestamp", to_bytes(answer))[0])


def _logs(chain: Chain, governance: Address, topics: Sequence[object], head: int) -> Iterator[Log]:
    """Since governance was deployed, so many blocks at a time as the node gives."""
    first, size = _deployed_in(chain, governance, head), BLOCKS_PER_ASK
    while first <= head:
        last = min(first + size - 1, head)
        span = {"address": hex_text(governance), "topics": topics, "fromBlock": from_int(first), "toBlock": from_int(last)}
        try:
            logs = chain.call("eth_getLogs", span)
        except NodeRefused as refused:
            if size == 1:
                raise Unavailable(f"{chain.rpc_url} gives no logs of block {first} ({refused}): name a node that keeps them") from refused
            size //= 2  # every node has a bound of its own on blocks and logs in one answer
            continue
        yield from map(log_of, logs)
        first = last + 1


def _deployed_in(chain: Chain, governance: Address, head: int) -> int:
    """The block since which governance has code, by halves; 0 on a node that keeps no state of old blocks."""
    without, with_code = -1, head
    while with_code - without > 1:
        middle = (without + with_code) // 2
        try:
            code = to_bytes(chain.call("eth_getCode", hex_text(governance), from_int(middle)))
        except NodeRefused:
            return 0
        without, with_code = (without, middle) if code else (middle, with_code)
    return with_code
