"""What a simulated call must fulfil to be in a block, in geth's order and words."""

from dataclasses import dataclass, replace

from eth_utils.address import to_checksum_address

from node.chain.errors import (
    FeeTooLow,
    GasAboveLimit,
    InsufficientFunds,
    IntrinsicGasTooLow,
    NonceTooHigh,
    NonceTooLow,
)
from node.chain.execution import Call
from node.chain.rules import Header, NodeState
from node.chain.simulation.plan import PlannedCall
from node.chain.transactions import gas_least

NONCE_MAX = (1 << 64) - 1  # EIP-2681


@dataclass(frozen=True)
class GasLeft:
    limit: int  # of the block
    used: int  # in the block
    of_request: int

    @property
    def of_block(self) -> int:
        return self.limit - self.used


def admit(state: NodeState, header: Header, planned: PlannedCall, left: GasLeft, *, validation: bool) -> Call:
    """The call with its gas and nonce filled in. Raises a TransactionRefused."""
    if planned.gas is not None and planned.gas > left.of_block:
        raise GasAboveLimit(f"block gas limit reached: {left.used} >= {left.limit}")
    gas = min(left.of_block if planned.gas is None else planned.gas, left.of_request)
    state_nonce = state.get_nonce(planned.message.sender)
    call = replace(planned.message, gas=gas, nonce=state_nonce if planned.nonce is None else planned.nonce)
    supplied = f"(supplied gas {gas})"
    if state_nonce >= NONCE_MAX:
        raise NonceTooHigh(f"err: nonce has max value: address {to_checksum_address(call.sender)}, nonce: {state_nonce} {supplied}")
    if validation:
        _check_nonce(call, state_nonce, supplied)
    if validation or call.max_fee_per_gas or call.max_priority_fee_per_gas:
        _check_fee(call, header.base_fee_per_gas, supplied)
    balance, wanted = state.get_balance(call.sender), call.gas * call.max_fee_per_gas + call.value
    if balance < wanted:
        what = f"address {to_checksum_address(call.sender)} have {balance} want {wanted}"
        raise InsufficientFunds(f"err: insufficient funds for gas * price + value: {what} {supplied}")
    if gas < (least := gas_least(call)):
        raise IntrinsicGasTooLow(f"err: intrinsic gas too low: have {gas}, want {least} {supplied}")
    call.check_initcode()
    return call


def _check_nonce(call: Call, state_nonce: int, supplied: str) -> None:
    if call.nonce != state_nonce:
        kind, word = (NonceTooLow, "low") if call.nonce < state_nonce else (NonceTooHigh, "high")
        what = f"address {to_checksum_address(call.sender)}, tx: {call.nonce} state: {state_nonce}"
        raise kind(f"err: nonce too {word}: {what} {supplied}")


def _check_fee(call: Call, base_fee: int, supplied: str) -> None:
    address = to_checksum_address(call.sender)
    if call.max_priority_fee_per_gas > call.max_fee_per_gas:
        what = f"maxPriorityFeePerGas: {call.max_priority_fee_per_gas}, maxFeePerGas: {call.max_fee_per_gas}"
        raise FeeTooLow(f"err: max priority fee per gas higher than max fee per gas: address {address}, {what} {supplied}")
    if call.max_fee_per_gas < base_fee:
        what = f"maxFeePerGas: {call.max_fee_per_gas}, baseFee: {base_fee}"
        raise FeeTooLow(f"err: max fee per gas less than block base fee: address {address}, {what} {supplied}")
