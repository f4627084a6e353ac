"""The phases of `scripts/bench ledger`, each on the chain that the one before it left.

Transactions are signed beforehand; the clock runs from the first one handed over to the last one in a durable block. What is
compared runs in turns, round by round: the same blocks on the same state, under the same load of the machine.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.ledger.slots import balance_slot
from node.rpc.dispatch import Dispatcher
from node.rpc.methods import method_table
from scripts.benchmarks.artifacts import storage_slot
from scripts.benchmarks.durable_ledger import DurableLedger
from scripts.benchmarks.figures import Clock, Figures, spread, together
from scripts.benchmarks.issuing import POINTS, Members, member
from scripts.benchmarks.plain_chain import PlainChain
from scripts.benchmarks.redeeming import WAYS, Redeemer
from scripts.benchmarks.rivals import Rivals

BATCH = 1_000
SIGNED_AHEAD = 10 * BATCH
STOCK_BLOCKS_A_ROUND = 2
PER_BLOCK = 100
PLAIN_BLOCKS_A_ROUND = 2
SEED = 200_000
AMPLE = 1.15  # so that sustained load lasts as long as asked for, also if it goes faster than before
SMALLER_BATCHES = (10, 100)
WARM_BATCHES = 1
BATCHES_ALONE = 4

Say = Callable[[str], None]


@dataclass(frozen=True)
class Scale:
    """How much of everything is measured. What members there are is another matter."""

    sustained_seconds: float = 30
    rounds: int = 5
    batches_a_round: int = 4
    burst_batches: int = 28  # of which seven fit into a block
    singles_a_round: int = 400
    singles_at_once: int = 1_000
    one_at_a_time: int = 200
    proofs: int = 1_000
    http_batches: int = 20
    spenders: int = 100  # members of each kind, and redemptions in a batch
    redemption_batches: int = 10


QUICK = Scale(
    0.5,
    rounds=1,
    batches_a_round=2,
    burst_batches=2,
    singles_a_round=100,
    singles_at_once=50,
    one_at_a_time=20,
    proofs=50,
    http_batches=2,
    spenders=10,
    redemption_batches=1,
)


@dataclass
class Phases:
    ledger: DurableLedger
    rivals: Rivals
    member_count: int
    scale: Scale
    say: Say
    _turn: int = 0

    def build(self) -> Figures:
        """Every member gets points for the first time. The figure is that of the last quarter, when the state is near its size."""
        parts: list[Figures] = []
        for first in range(0, self.member_count, SIGNED_AHEAD):
            members = [member(number) for number in range(first, min(self.member_count, first + SIGNED_AHEAD))]
            parts.append(self._measured(members, "new"))
            self.say(f"{first + len(members):,} of {self.member_count:,} members, {parts[-1]['entries_per_s']:,.0f} entries/s")
        return {**together(parts[3 * len(parts) // 4 :]), "from_the_first_member_on": together(parts)}

    def sustained(self) -> tuple[Figures, Figures]:
        """Batches of 1,000 to existing members in one go, a block for each; and how long the commits of such blocks took."""
        warm = self._measured(self._existing(SIGNED_AHEAD), "existing")
        count = max(4, int(AMPLE * self.scale.sustained_seconds * warm["entries_per_s"]) // BATCH)
        members, height = self._existing(count * BATCH), self.ledger.height
        self.ledger.commits.clear()
        figures = self._measured(members, "existing")
        blocks = range(height + 1, self.ledger.height + 1)
        commits = zip(blocks, self.ledger.commits, strict=True)
        alone = [seconds for number, seconds in commits if len(self.ledger.raw_block(number)) == 1]
        return figures, spread(alone or self._commits_alone())

    def _commits_alone(self) -> Sequence[float]:
        """Of batches that are handed over one by one: on a loaded machine all of a stream may share their blocks."""
        self.ledger.commits.clear()
        for raw in self.sign_next(BATCHES_ALONE * BATCH, BATCH):
            self.ledger.burst([raw])
        return self.ledger.commits

    def rounds(self, plain: PlainChain) -> Figures:
        """In turns: batches, then single transactions, on the node and then the same blocks on the others."""
        taken: dict[str, list[Figures]] = {}
        for number in range(1, self.scale.rounds + 1):
            self.rivals.catch_up()
            turn = {**self._round_of_batches(), **self._round_of_singles(plain)}
            for name, figures in turn.items():
                taken.setdefault(name, []).extend([figures] if figures else [])
            rates = (f"{name} {figures['entries_per_s']:,.0f}" for name, figures in turn.items() if figures)
            self.say(f"round {number} of {self.scale.rounds}, a second: {', '.join(rates)}")
        return {name: {**together(parts), "runs": parts} if parts else None for name, parts in taken.items()}

    def _round_of_batches(self) -> dict[str, Figures | None]:
        entries = self.scale.batches_a_round * BATCH
        ours = self._measured(self._existing(entries), "existing")
        stock = [self.rivals.stock(number, BATCH) for number in self._last_blocks(STOCK_BLOCKS_A_ROUND)]
        return {"node": ours, "stock": together(stock), "anvil": self.rivals.on_anvil(entries), "revm": self.rivals.on_revm(entries)}

    def _round_of_singles(self, plain: PlainChain) -> dict[str, Figures | None]:
        """One transaction an entry, 100 a block: our contract, and on stock py-evm also a plain ERC-1155."""
        members = self._existing(self.scale.singles_a_round)
        raw = self.ledger.issuer.issues(members, 1, "existing")
        ours = self._timed(lambda: self.ledger.in_blocks_of(PER_BLOCK, raw), len(raw))
        issues = plain.issues(members[: PLAIN_BLOCKS_A_ROUND * PER_BLOCK])
        clock = Clock()
        for first in range(0, len(issues), PER_BLOCK):
            plain.seal(issues[first : first + PER_BLOCK])
        return {
            "single": ours,
            "single_plain": clock.rates(len(issues)),
            "single_stock": self.rivals.stock(self.ledger.height, PER_BLOCK),
            "single_anvil": self.rivals.on_anvil(len(raw)),
        }

    def burst(self) -> Figures:
        """All handed over at once, so that as many batches share a block as fit; anvil gets the same blocks."""
        self.rivals.catch_up()
        entries = self.scale.burst_batches * BATCH
        raw = self.ledger.issuer.issues(self._existing(entries), BATCH, "existing")
        figures = self._timed(lambda: self.ledger.burst(raw), entries)
        return {**figures, "anvil": self.rivals.on_anvil(entries)}

    def singles_at_once(self) -> Figures:
        """One transaction an entry, all handed over at once: blocks hold what had arrived."""
        count = self.scale.singles_at_once
        raw = self.ledger.issuer.issues(self._existing(count), 1, "existing")
        return self._timed(lambda: self.ledger.burst(raw), count)

    def one_at_a_time(self) -> Figures:
        return spread(self.ledger.one_by_one(self.sign_next(self.scale.one_at_a_time, 1)))

    def smaller_batches(self) -> list[Figures]:
        found = []
        for size in SMALLER_BATCHES:
            raw = self.ledger.issuer.issues(self._existing(20 * size), size, "existing")
            found.append({"batch": size, **self._timed(lambda raw=raw: self.ledger.stream(raw), 20 * size)})  # type: ignore[misc]
        return found

    def redemptions(self) -> Figures:
        """By way of consenting: a point of each of as many members, at a second brand, a batch a block; everything written to before."""
        redeemer = Redeemer(self.ledger.issuer, self.scale.spenders)
        self.ledger.stream(redeemer.founding())
        points_each = WARM_BATCHES + 3 * (WARM_BATCHES + self.scale.redemption_batches)
        for _ in range(-(-points_each // POINTS)):
            self._measured(redeemer.members, "new")
        found: Figures = {}
        for way in WAYS:
            self.ledger.stream(redeemer.redemptions(way, WARM_BATCHES))
            raw = redeemer.redemptions(way, self.scale.redemption_batches)
            found[way] = self._timed(lambda raw=raw: self.ledger.stream(raw), len(raw) * self.scale.spenders)  # type: ignore[misc]
        return found

    def proofs(self) -> Figures:
        """eth_getProof of a member's points at the head, from the request's JSON to the answer's, without HTTP."""
        dispatcher = Dispatcher(method_table(self.ledger.node))
        taken = []
        for body in self.proof_requests(self.scale.proofs):
            start = time.perf_counter()
            answer = dispatcher.respond(body)
            taken.append(time.perf_counter() - start)
            assert int(json.loads(answer)["result"]["storageProof"][0]["value"], 16) > 0
        return spread(taken)

    def proof_requests(self, count: int) -> list[bytes]:
        address = "0x" + self.ledger.issuer.address.hex()
        asked = [[address, [f"0x{slot:064x}"], "latest"] for slot in self.slots(count)]
        return [json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getProof", "params": each}).encode() for each in asked]

    def slots(self, count: int) -> list[int]:
        """Where some members' points stand."""
        base, lot = storage_slot("PointsLedger", "balances"), self.ledger.issuer.lot
        chosen = random.Random(SEED).choices(range(self.member_count), k=count)  # noqa: S311 - any members will do
        return [balance_slot(base, lot, member(number)) for number in chosen]

    def sign_next(self, count: int, size: int) -> list[bytes]:
        """Batches to existing members that are yet to be sent."""
        return self.ledger.issuer.issues(self._existing(count), size, "existing")

    def _last_blocks(self, count: int) -> range:
        return range(self.ledger.height - count + 1, self.ledger.height + 1)

    def _existing(self, count: int) -> list[bytes]:
        """The next members in turn, so that all have theirs."""
        first, self._turn = self._turn, self._turn + count
        return [member(number % self.member_count) for number in range(first, first + count)]

    def _measured(self, members: Sequence[bytes], kind: Members) -> Figures:
        raw = self.ledger.issuer.issues(members, BATCH, kind)
        return self._timed(lambda: self.ledger.stream(raw), len(members))

    def _timed(self, send: Callable[[], None], entries: int) -> Figures:
        """Rates, and the proof that every entry is there: one ERC-1155 log each."""
        height, clock = self.ledger.height, Clock()
        send()
        figures = clock.rates(entries)
        blocks = self.ledger.height - height
        if self.ledger.logs_issued(height + 1, self.ledger.height) != entries:
            raise RuntimeError("not every entry has its log")
        return {**figures, "blocks": blocks}
