"""One message on one small world, run by py-evm and compiled; everything that anyone could tell apart must be the same."""

from dataclasses import dataclass
from typing import Any

from eth.constants import BLANK_ROOT_HASH
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.cancun.transaction_context import CancunTransactionContext
from eth.vm.message import Message
from eth.vm.state import BaseState

from node.chain.compiler.hot_code import HotCode
from node.chain.state import StateOverlay
from tests.node.compiler.states import ALWAYS_HOT, CompiledState, StockState

SENDER = b"\x51" * 20
CONTRACT = b"\xc0" * 20
OTHER = bytes(19) + b"\x20"  # what small constants on a stack call
CALL_DATA = bytes(range(1, 78))
GAS = 60_000


@dataclass(frozen=True)
class Outcome:
    """`touched` are the warm addresses and slots, which later messages of a transaction would be charged by."""

    error: str
    gas_left: int
    gas_refunded: int
    output: bytes
    logs: tuple[Any, ...]
    touched: frozenset[bytes]
    state_root: bytes


def outcome(
    state_class: type[BaseState],
    body: bytes,
    *,
    gas: int = GAS,
    is_static: bool = False,
    other: bytes = b"",
    call_data: bytes = CALL_DATA,
) -> Outcome:
    state = state_class(StateOverlay(lambda _: None), _CONTEXT, BLANK_ROOT_HASH)
    state.set_balance(SENDER, 10**18)
    state.set_balance(CONTRACT, 1_000)
    state.set_code(CONTRACT, body)
    state.set_code(OTHER, other or body[::-1])
    for slot in (1, 2, 32):
        state.set_storage(CONTRACT, slot, 7)
    state.lock_changes()
    message = Message(gas, CONTRACT, SENDER, 0 if is_static else 3, call_data, body, is_static=is_static)
    context = CancunTransactionContext(gas_price=7, origin=SENDER)
    computation = state.computation_class.apply_message(state, message, context)
    touched = frozenset(state._account_db._journal_accessed_state._journal._current_values)  # type: ignore[attr-defined]
    error = type(computation.error).__name__ if computation.is_error else ""
    state.lock_changes()
    state.persist()
    return Outcome(
        error,
        computation.get_gas_remaining(),
        computation.get_gas_refund(),
        computation.output,
        computation.get_log_entries(),
        touched,
        state.state_root,
    )


def assert_same(body: bytes, **choices: Any) -> Outcome:
    CompiledState.computation_class.hot_code = HotCode(gas_granted=ALWAYS_HOT)  # no program outlives its test
    expected = outcome(StockState, body, **choices)
    assert outcome(CompiledState, body, **choices) == expected, (body.hex(), choices)
    return expected


_CONTEXT = ExecutionContext(
    coinbase=b"\xcb" * 20,
    timestamp=1_771_200_000,
    block_number=9,
    difficulty=0,
    mix_hash=bytes(range(32)),
    gas_limit=1 << 28,
    prev_hashes=(),
    chain_id=20_261,
    base_fee_per_gas=7,
    excess_blob_gas=0,
)
