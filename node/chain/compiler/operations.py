"""Which of py-evm's opcodes a routine spells out, and how. Recognized by the stock function itself, so a fork that changes
an opcode falls back to its own handler. Operands are numbered from the top of the stack."""

from collections.abc import Callable, Mapping
from typing import Any

from eth.vm import opcode_values as op
from eth.vm.forks.berlin.logic import sload_eip2929
from eth.vm.forks.london.storage import sstore_eip3529
from eth.vm.logic import arithmetic, block, comparison, context, duplication, flow, logging, memory, sha3, stack, swap
from eth.vm.opcode import _FastOpcode

Logic = Callable[..., Any]

EXPRESSIONS: Mapping[Logic, str] = {
    arithmetic.add: "({0} + {1}) & MAX",
    arithmetic.mul: "({0} * {1}) & MAX",
    arithmetic.sub: "({0} - {1}) & MAX",
    arithmetic.div: "{0} // {1} if {1} else 0",
    arithmetic.mod: "{0} % {1} if {1} else 0",
    arithmetic.shl: "({1} << {0}) & MAX if {0} < 256 else 0",
    arithmetic.shr: "{1} >> {0} if {0} < 256 else 0",
    arithmetic.signextend: "(({1} & ((2 << 8 * {0} + 7) - 1) ^ (1 << 8 * {0} + 7)) - (1 << 8 * {0} + 7)) & MAX if {0} < 31 else {1}",
    comparison.and_op: "{0} & {1}",
    comparison.or_op: "{0} | {1}",
    comparison.xor: "{0} ^ {1}",
    comparison.not_op: "MAX - {0}",
    comparison.byte_op: "{1} >> 248 - 8 * {0} & 255 if {0} < 32 else 0",
    context.calldataload: "from_bytes(frame.call_data[{0} : {0} + 32])",
}

TESTS: Mapping[Logic, str] = {
    comparison.lt: "{0} < {1}",
    comparison.gt: "{0} > {1}",
    comparison.slt: "{0} ^ SIGN < {1} ^ SIGN",  # flipping the sign bit puts two's complement in plain order
    comparison.sgt: "{0} ^ SIGN > {1} ^ SIGN",
    comparison.eq: "{0} == {1}",
}

READINGS: Mapping[Logic, str] = {
    context.address: "from_bytes(frame.address)",
    context.caller: "from_bytes(frame.message.sender)",
    context.callvalue: "frame.message.value",
    context.calldatasize: "len(frame.message.data)",
    context.codesize: "len(frame.message.code)",
    context.origin: "from_bytes(frame.computation.transaction_context.origin)",
    context.returndatasize: "len(frame.computation.return_data)",
    block.number: "frame.state.block_number",
    block.timestamp: "frame.state.timestamp",
    memory.msize: "len(memory)",
}

LOAD, STORE, HASH = memory.mload, memory.mstore, sha3.sha3
READ_SLOT, WRITE_SLOT = sload_eip2929, sstore_eip3529
IS_ZERO, POP, GAS, POSITION, TARGET = comparison.iszero, stack.pop, flow.gas, flow.program_counter, flow.jumpdest
JUMP, JUMP_IF, STOP = flow.jump, flow.jumpi, flow.stop
PUSHES: Mapping[Logic, int] = {getattr(stack, f"push{size}"): size for size in range(33)}
DUPLICATIONS: Mapping[Logic, int] = {getattr(duplication, f"dup{depth}"): depth for depth in range(1, 17)}
SWAPS: Mapping[Logic, int] = {getattr(swap, f"swap{depth}"): depth for depth in range(1, 17)}
LOGS: Mapping[Logic, int] = {getattr(logging, f"log{topics}"): topics for topics in range(5)}

_UNARY = frozenset((comparison.not_op, context.calldataload))


def operand_count(logic: Logic) -> int:
    """Of one of EXPRESSIONS."""
    return 1 if logic in _UNARY else 2


def is_plain(opcodes: Mapping[int, Any]) -> bool:
    """Whether the table's operations are py-evm's own. A tracer that wraps them wants to see every one."""
    return logic_of(opcodes.get(op.JUMPDEST)) is TARGET


def logic_of(operation: Any) -> Logic | None:
    """The stock function behind a table entry, under py-evm's guard against writes in a static call; None if it has none."""
    if type(operation) is not _FastOpcode:
        return None
    logic: Logic = operation.logic_fn
    return getattr(logic, "__wrapped__", logic)
