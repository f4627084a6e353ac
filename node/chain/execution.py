"""Calls and gas estimates: run a message on a named block's own header and state, and keep nothing."""

from dataclasses import dataclass, field, replace
from itertools import chain, repeat

from eth.abc import ComputationAPI
from eth.constants import CREATE_CONTRACT_ADDRESS, ZERO_ADDRESS
from eth.exceptions import OutOfGas, Revert
from eth.vm.forks.berlin.transactions import calculate_txn_intrinsic_gas_berlin
from eth.vm.forks.prague.constants import PER_EMPTY_ACCOUNT_BASE_COST, SET_CODE_TRANSACTION_TYPE
from eth.vm.forks.prague.transactions import Authorization
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from node.chain.blocks import gas_charged
from node.chain.errors import ExecutionFailed, ExecutionReverted, InitcodeTooLarge, InsufficientFunds, IntrinsicGasTooLow
from node.chain.failures import failure_text, revert_reason
from node.chain.history import History
from node.chain.overrides import Overrides, override
from node.chain.rules import INITCODE_SIZE_MAX, TRANSACTION_GAS_MAX, Header, NodeState
from node.chain.state import StateOverlay, state_at
from node.chain.time_limit import Pulse
from node.chain.transactions import GAS_PER_TRANSACTION, gas_least

CALL_GAS_MAX = 1 << 26
ESTIMATE_TOLERANCE = 0.015  # geth's: stop when the bounds are this close


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
    authorizations: tuple[Authorization, ...] = ()  # EIP-7702
    nonce: int = 0
    s: int = field(default=1, init=False)
    r: int = field(default=1, init=False)
    y_parity: int = field(default=0, init=False)

    @property
    def type_id(self) -> int | None:
        return SET_CODE_TRANSACTION_TYPE if self.authorizations else None

    @property
    def authorization_list(self) -> tuple[Authorization, ...]:
        return self.authorizations

    @property
    def intrinsic_gas(self) -> int:
        return calculate_txn_intrinsic_gas_berlin(self) + PER_EMPTY_ACCOUNT_BASE_COST * len(self.authorizations)  # type: ignore[arg-type]

    def validate(self) -> None:
        least = gas_least(self)
        if self.gas < least:
            raise IntrinsicGasTooLow(f"intrinsic gas too low: gas {self.gas}, minimum needed {least}")
        self.check_initcode()

    def check_initcode(self) -> None:
        """Before it runs: the EVM library takes a whole transaction's initcode for checked already."""
        if not self.to and len(self.data) > INITCODE_SIZE_MAX:
            size, supplied = f"code size {len(self.data)} limit {INITCODE_SIZE_MAX}", f"(supplied gas {self.gas})"
            raise InitcodeTooLarge(f"err: max initcode size exceeded: {size} {supplied}")


@dataclass(frozen=True)
class Scene:
    """What a message finds: a chain, a header that need not be sealed, accounts that need not be so."""

    history: History
    header: Header
    overrides: Overrides = field(default_factory=dict)
    state_class: type[NodeState] = NodeState
    pulse: Pulse | None = None  # None: code may run as long as its gas lasts

    def state(self) -> NodeState:
        """State as it stood after the block of the header; code run on it sees that very header."""
        overlay = StateOverlay(self.history.read_node, self.history.nodes)
        next_number, number = int(self.history.head.block_number) + 1, int(self.header.block_number)
        unknown = repeat(bytes(32), number - next_number)  # of blocks that nobody sealed, between the head and such a header
        hashes = chain(unknown, self.history.previous_hashes(min(number, next_number)))
        chain_id = self.history.config.chain_id
        state = state_at(overlay, self.header, self.header.state_root, hashes, chain_id, self.state_class)
        state.pulse = self.pulse
        if self.overrides:
            override(state, self.overrides)
        return state


def call(scene: Scene, request: Call) -> bytes:
    """The returned bytes. Raises ExecutionReverted or ExecutionFailed."""
    computation = run(scene, request)
    raise_failure(computation)
    return bytes(computation.output)


def estimate_gas(scene: Scene, request: Call) -> int:
    """The least gas limit, within 1.5 %, under which the message succeeds. Never above 2^24 (EIP-7825)."""
    high = min(request.gas, TRANSACTION_GAS_MAX)
    if request.max_fee_per_gas:
        balance = scene.state().get_balance(request.sender)
        if balance < request.value:
            raise InsufficientFunds("insufficient funds for transfer")
        high = min(high, (balance - request.value) // request.max_fee_per_gas)
    if _is_plain_transfer(scene, request) and _succeeds(scene, replace(request, gas=GAS_PER_TRANSACTION)):
        return GAS_PER_TRANSACTION
    try:
        first = run(scene, replace(request, gas=high))
    except IntrinsicGasTooLow as error:
        raise _allowance_exceeded(high) from error
    if first.is_error and isinstance(first.error, OutOfGas):
        raise _allowance_exceeded(high)
    raise_failure(first)
    low = max(gas_charged(high, first), gas_least(request)) - 1
    spent = high - first.get_gas_remaining()
    attempt = (spent + 2_300) * 64 // 63  # as geth: what calls keep back under the 63/64 rule
    while low + 1 < high and (high - low) / high >= ESTIMATE_TOLERANCE:
        if not low < attempt < high:
            attempt = (low + high) // 2
        if _succeeds(scene, replace(request, gas=attempt)):
            high = attempt
        else:
            low = attempt
        attempt = 0
    return high


def state_of(history: History, header: Header) -> NodeState:
    return Scene(history, header).state()


def run(scene: Scene, request: Call) -> ComputationAPI:
    """The finished computation, failed or not. Raises a TransactionRefused or ExecutionFailed if it cannot begin."""
    return run_on(free_of_charge(scene, request).state(), request)


def run_on(state: NodeState, request: Call) -> ComputationAPI:
    """As `run`, on a state at hand, which it changes."""
    if state.get_balance(request.sender) < request.value + request.gas * request.max_fee_per_gas:
        raise InsufficientFunds(f"insufficient funds for gas * price + value: address 0x{request.sender.hex()}")
    return apply(state, replace(request, nonce=state.get_nonce(request.sender)))


def apply(state: NodeState, request: Call) -> ComputationAPI:
    """Raises ExecutionFailed where the state or the message holds what no chain could: a balance over 2^256, say."""
    try:
        return state.apply_transaction(request)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ExecutionFailed(str(error)) from error


def free_of_charge(scene: Scene, request: Call) -> Scene:
    """As geth: a call that names no price pays none."""
    return scene if request.max_fee_per_gas else replace(scene, header=scene.header.copy(base_fee_per_gas=0))


def raise_failure(computation: ComputationAPI) -> None:
    if not computation.is_error:
        return
    if isinstance(computation.error, Revert):
        output = bytes(computation.output)
        raise ExecutionReverted(output, revert_reason(output))
    raise ExecutionFailed(failure_text(computation.error))


def _allowance_exceeded(gas: int) -> ExecutionFailed:
    return ExecutionFailed(f"gas required exceeds allowance ({gas})")


def _is_plain_transfer(scene: Scene, request: Call) -> bool:
    return bool(request.to) and not request.data and not scene.state().get_code(request.to)


def _succeeds(scene: Scene, request: Call) -> bool:
    try:
        return not run(scene, request).is_error
    except IntrinsicGasTooLow:
        return False
