"""Calls and gas estimates: run a message on a named block's own header and state, and keep nothing."""

from dataclasses import dataclass, field, replace

from eth.abc import ComputationAPI
from eth.constants import CREATE_CONTRACT_ADDRESS, ZERO_ADDRESS
from eth.exceptions import Revert
from eth.vm.forks.berlin.transactions import calculate_txn_intrinsic_gas_berlin
from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from node.chain.blocks import gas_charged
from node.chain.errors import ExecutionFailed, ExecutionReverted, InsufficientFunds, IntrinsicGasTooLow
from node.chain.history import History
from node.chain.rules import TRANSACTION_GAS_MAX, Header, NodeState
from node.chain.state import StateOverlay, state_at
from node.chain.transactions import GAS_PER_TRANSACTION, gas_least

CALL_GAS_MAX = 1 << 26
ESTIMATE_TOLERANCE = 0.015  # geth's: stop when the bounds are this close
REVERT_STRING = bytes.fromhex("08c379a0")
REVERT_PANIC = bytes.fromhex("4e487b71")


@dataclass(frozen=True)
class Call:
    """A message that nobody signed. Named as py-evm's executor reads a transaction."""

    sender: Address = ZERO_ADDRESS
    to: Address = CREATE_CONTRACT_ADDRESS
    data: bytes = b""
    value: int = 0
    gas: int = CALL_GAS_MAX
    max_fee_per_gas: int = 0
    max_priority_fee_per_gas: int = 0
    access_list: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    nonce: int = 0
    type_id: int | None = field(default=None, init=False)
    s: int = field(default=1, init=False)
    r: int = field(default=1, init=False)
    y_parity: int = field(default=0, init=False)

    @property
    def intrinsic_gas(self) -> int:
        return calculate_txn_intrinsic_gas_berlin(self)  # type: ignore[arg-type]

    def validate(self) -> None:
        least = gas_least(self)
        if self.gas < least:
            raise IntrinsicGasTooLow(f"intrinsic gas too low: gas {self.gas}, minimum needed {least}")


def call(history: History, header: Header, request: Call) -> bytes:
    """The returned bytes. Raises ExecutionReverted or ExecutionFailed."""
    computation = _run(history, header, request)
    _raise_failure(computation)
    return bytes(computation.output)


def estimate_gas(history: History, header: Header, request: Call) -> int:
    """The least gas limit, within 1.5 %, under which the message succeeds. Never above 2^24 (EIP-7825)."""
    high = min(request.gas, TRANSACTION_GAS_MAX)
    if request.max_fee_per_gas:
        balance = state_of(history, header).get_balance(request.sender)
        if balance < request.value:
            raise InsufficientFunds("insufficient funds for transfer")
        high = min(high, (balance - request.value) // request.max_fee_per_gas)
    if _is_plain_transfer(history, header, request) and _succeeds(history, header, replace(request, gas=GAS_PER_TRANSACTION)):
        return GAS_PER_TRANSACTION
    first = _run(history, header, replace(request, gas=high))
    _raise_failure(first)
    low = max(gas_charged(high, first), gas_least(request)) - 1
    spent = high - first.get_gas_remaining()
    attempt = (spent + 2_300) * 64 // 63  # as geth: what calls keep back under the 63/64 rule
    while low + 1 < high and (high - low) / high >= ESTIMATE_TOLERANCE:
        if not low < attempt < high:
            attempt = (low + high) // 2
        if _succeeds(history, header, replace(request, gas=attempt)):
            high = attempt
        else:
            low = attempt
        attempt = 0
    return high


def state_of(history: History, header: Header) -> NodeState:
    """State as it stood after the block of `header`; code run on it sees that very header."""
    overlay = StateOverlay(history.read_node)
    hashes = history.previous_hashes(header.block_number)
    return state_at(overlay, header, header.state_root, hashes, history.config.chain_id)


def _run(history: History, header: Header, request: Call) -> ComputationAPI:
    if not request.max_fee_per_gas:
        header = header.copy(base_fee_per_gas=0)  # as geth: a call that names no price pays none
    state = state_of(history, header)
    if state.get_balance(request.sender) < request.value + request.gas * request.max_fee_per_gas:
        raise InsufficientFunds(f"insufficient funds for gas * price + value: address 0x{request.sender.hex()}")
    prepared = replace(request, nonce=state.get_nonce(request.sender))
    try:
        return state.apply_transaction(prepared)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ExecutionFailed(str(error)) from error


def _is_plain_transfer(history: History, header: Header, request: Call) -> bool:
    return bool(request.to) and not request.data and not state_of(history, header).get_code(request.to)


def _succeeds(history: History, header: Header, request: Call) -> bool:
    try:
        return not _run(history, header, request).is_error
    except IntrinsicGasTooLow:
        return False


def _raise_failure(computation: ComputationAPI) -> None:
    if not computation.is_error:
        return
    if isinstance(computation.error, Revert):
        output = bytes(computation.output)
        raise ExecutionReverted(output, revert_reason(output))
    message = str(computation.error)
    raise ExecutionFailed("out of gas" if "gas" in type(computation.error).__name__.lower() else message)


def revert_reason(data: bytes) -> str | None:
    """The text of `Error(string)` or `Panic(uint256)`; None for custom errors and bare reverts."""
    try:
        if data[:4] == REVERT_STRING:
            return str(abi_decode(["string"], data[4:])[0])
        if data[:4] == REVERT_PANIC:
            return f"panic code 0x{abi_decode(['uint256'], data[4:])[0]:02x}"
    except (DecodingError, UnicodeDecodeError, OverflowError):
        pass
    return None
