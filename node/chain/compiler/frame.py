"""One message under execution, as routines see it, and what they call instead of spelling it out.

Each function takes the gas left and returns it, less what the operation costs. Running out is final, so gas may be charged
ahead of an operation as long as nothing but running out can go wrong in between.
"""

from eth import constants
from eth.abc import StateAPI
from eth.exceptions import OutOfGas, WriteProtection
from eth.vm.computation import BaseComputation, memory_gas_cost
from eth.vm.forks.berlin.constants import COLD_SLOAD_COST, WARM_STORAGE_READ_COST
from eth.vm.forks.london.storage import GAS_SCHEDULE_EIP3529 as PRICES
from eth_typing import Address

SSTORE_GAS_LEAST = 2_300  # EIP-2200


class Frame:
    """`call_data` is padded with one word of zeros, so that a slice that starts inside it always has 32 bytes."""

    __slots__ = ("address", "call_data", "computation", "memory", "message", "meter", "stack", "state")

    def __init__(self, computation: BaseComputation) -> None:
        self.computation = computation
        self.state: StateAPI = computation.state
        self.message = computation.msg
        self.address: Address = computation.msg.storage_address
        self.call_data = computation.msg.data_as_bytes + bytes(32)
        self.memory = computation._memory
        self.meter = computation._gas_meter
        self.stack: list[int] = computation._stack.values  # type: ignore[attr-defined]


def out_of_gas() -> OutOfGas:
    return OutOfGas("Out of gas")


def grow(frame: Frame, gas: int, end: int) -> tuple[int, bytearray]:
    """Memory reaches at least to `end`; called only if it does not yet."""
    contents: bytearray = frame.memory._bytes  # type: ignore[attr-defined]
    gas -= memory_gas_cost(end) - memory_gas_cost(len(contents))
    if gas < 0:
        raise out_of_gas()
    frame.memory.extend(0, end)
    return gas, frame.memory._bytes  # type: ignore[attr-defined]


def read_slot(frame: Frame, gas: int, slot: int) -> tuple[int, int]:
    state, address = frame.state, frame.address
    if state.is_storage_warm(address, slot):
        gas -= WARM_STORAGE_READ_COST
    else:
        state.mark_storage_warm(address, slot)
        gas -= COLD_SLOAD_COST
    if gas < 0:
        raise out_of_gas()
    return gas, state.get_storage(address, slot)


def write_slot(frame: Frame, gas: int, slot: int, value: int) -> int:
    """EIP-2200 with the prices of EIP-2929 and 3529, as py-evm's net_sstore."""
    if frame.message.is_static:
        raise _write_protection()
    if gas <= SSTORE_GAS_LEAST:
        raise out_of_gas()
    state, address = frame.state, frame.address
    current = state.get_storage(address, slot)
    original = state.get_storage(address, slot, from_journal=False)
    if current == value or original != current:
        gas -= PRICES.sload_gas
    else:
        gas -= PRICES.sstore_reset_gas if original else PRICES.sstore_set_gas
    if not state.is_storage_warm(address, slot):
        state.mark_storage_warm(address, slot)
        gas -= COLD_SLOAD_COST
    if gas < 0:
        raise out_of_gas()
    if refund := _refund(original, current, value):
        frame.meter.refund_gas(refund)
    state.set_storage(address, slot, value)
    return gas


def _refund(original: int, current: int, value: int) -> int:
    if current == value:
        return 0
    if original == current:
        return PRICES.sstore_clears_schedule if original and not value else 0
    refund = 0
    if original:
        refund += PRICES.sstore_clears_schedule * ((value == 0) - (current == 0))
    if original == value:
        refund += (PRICES.sstore_reset_gas if original else PRICES.sstore_set_gas) - PRICES.sload_gas
    return refund


def write_log(frame: Frame, gas: int, start: int, size: int, topics: tuple[int, ...]) -> tuple[int, bytearray]:
    if frame.message.is_static:
        raise _write_protection()
    gas -= constants.GAS_LOGDATA * size + constants.GAS_LOGTOPIC * len(topics)
    if gas < 0:
        raise out_of_gas()
    contents: bytearray = frame.memory._bytes  # type: ignore[attr-defined]
    if size and start + size > len(contents):
        gas, contents = grow(frame, gas, start + size)
    computation = frame.computation
    number = computation.transaction_context.get_next_log_counter()
    computation._log_entries.append((number, frame.address, topics, bytes(contents[start : start + size])))
    return gas, contents


def _write_protection() -> WriteProtection:
    return WriteProtection("Cannot modify state while inside of a STATICCALL context")
