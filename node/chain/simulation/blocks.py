"""Running the planned blocks. Nothing is stored: what they leave lies in memory until the answer is given."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from eth.exceptions import VMError

from node.chain import receipts
from node.chain.blocks import Block, child_header, gas_charged
from node.chain.budget import Budget
from node.chain.execution import apply
from node.chain.history import History
from node.chain.overrides import override
from node.chain.receipts import Log, Receipt
from node.chain.rules import Header
from node.chain.simulation.checks import GasLeft, admit
from node.chain.simulation.plan import PlannedBlock, PlannedCall, in_order
from node.chain.simulation.state import simulated_state
from node.chain.simulation.transfers import logs_with_transfers
from node.chain.simulation.unsigned import unsigned_transaction
from node.chain.state import StateOverlay, state_at
from node.chain.tracing.call_frames import CallFrames
from node.chain.transactions import Transaction
from node.chain.trie.ordered import ordered_root
from node.chain.trie.source import NodeCache

GAS_MAX = 50_000_000  # of all calls of a request together, as geth


@dataclass(frozen=True)
class Rules:
    """`validation`: nonces, fees and base fee as a sealed block has them. `transfers`: value that moves is logged too."""

    validation: bool = False
    transfers: bool = False


@dataclass(frozen=True)
class SimulatedCall:
    output: bytes
    logs: tuple[Log, ...]
    gas_used: int
    gas_used_max: int  # before refunds
    failure: VMError | None


@dataclass(frozen=True)
class SimulatedBlock:
    block: Block
    calls: tuple[SimulatedCall, ...]


def simulate(history: History, base: Header, plans: Iterable[PlannedBlock], rules: Rules, budget: Budget) -> list[SimulatedBlock]:
    """Raises a TransactionRefused for a call that could not be in a block: then nothing is answered of the others either."""
    simulation = _Simulation(history, base, rules, budget)
    return [simulation.run(plan) for plan in list(in_order(base, plans))]


class _Simulation:
    def __init__(self, history: History, base: Header, rules: Rules, budget: Budget) -> None:
        self._history, self._rules = history, rules
        self._overlay = StateOverlay(history.read_node, NodeCache())
        self._headers = [base]
        self._gas_left = GAS_MAX
        self._budget, self._pulse = budget, budget.call_limit()

    def run(self, plan: PlannedBlock) -> SimulatedBlock:
        header = self._open_header(plan)
        transactions: list[Transaction] = []
        results: list[SimulatedCall] = []
        items: list[Receipt] = []
        root, gas_used = self._overridden(header, plan), 0
        for planned in plan.calls:
            root, transaction, result, receipt = self._run_call(header, root, planned, gas_used)
            gas_used += result.gas_used
            self._gas_left -= result.gas_used
            transactions.append(transaction)
            results.append(result)
            items.append(receipt)
        header = header.copy(
            state_root=root,
            transaction_root=ordered_root([item.raw for item in transactions]),
            receipt_root=ordered_root([receipts.encode(item) for item in items]),
            bloom=int.from_bytes(receipts.bloom_of([log for item in items for log in item.logs]), "big"),
            gas_used=gas_used,
        )
        self._headers.append(header)
        return SimulatedBlock(Block(header, tuple(transactions)), tuple(results))

    def _open_header(self, plan: PlannedBlock) -> Header:
        parent = self._headers[-1]
        assert plan.timestamp is not None, "in_order fills it in"
        header = child_header(parent, plan.timestamp, parent.coinbase)
        base_fee = header.base_fee_per_gas if self._rules.validation else 0
        return header.copy(**{"base_fee_per_gas": base_fee, **plan.header})

    def _overridden(self, header: Header, plan: PlannedBlock) -> bytes:
        parent_root = bytes(self._headers[-1].state_root)
        if not plan.overrides:
            return parent_root
        state = state_at(self._overlay, header, parent_root, (), self._history.config.chain_id)
        override(state, plan.overrides)
        state.persist()
        return bytes(state.state_root)

    def _run_call(
        self, header: Header, root: bytes, planned: PlannedCall, gas_used: int
    ) -> tuple[bytes, Transaction, SimulatedCall, Receipt]:
        chain_id = self._history.config.chain_id
        frames = CallFrames(self._budget.hold) if self._rules.transfers else None
        state = state_at(self._overlay, header, root, self._previous_hashes(), chain_id, simulated_state(frames))
        state.pulse = self._pulse
        call = admit(state, header, planned, GasLeft(header.gas_limit, gas_used, self._gas_left), validation=self._rules.validation)
        transaction = unsigned_transaction(call, chain_id, legacy=planned.legacy)
        computation = apply(state, replace(call, nonce=state.get_nonce(call.sender)))
        state.persist()
        charged = gas_charged(call.gas, computation)
        logs = tuple(Log(bytes(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))
                     for address, topics, data in computation.get_log_entries())  # fmt: skip
        receipt = Receipt(
            transaction.type_id, not computation.is_error, gas_used + charged, logs, receipts.bloom_of(logs), call.sender, None
        )
        shown = logs if frames is None else tuple(logs_with_transfers(frames.top_of(call, computation, charged)))
        spent = call.gas - computation.get_gas_remaining()
        failure = computation.error if computation.is_error else None
        self._budget.hold(2 * (len(call.data) + len(computation.output) + sum(log.size for log in shown)))
        result = SimulatedCall(bytes(computation.output), shown, charged, max(spent, charged), failure)
        return bytes(state.state_root), transaction, result, receipt

    def _previous_hashes(self) -> Iterator[bytes]:
        base, simulated = self._headers[0], self._headers[1:]
        yield from (bytes(header.hash) for header in reversed(simulated))
        yield from self._history.previous_hashes(int(base.block_number) + 1)
