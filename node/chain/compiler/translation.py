"""From EVM code to the Python source of one routine. Only whole numbers and the fixed texts of this package reach the source.

A routine follows constant jumps and the likelier side of conditional ones, and is left at the other side.
"""

from collections import Counter
from typing import Any

from eth.vm import opcode_values as op

from node.chain.compiler.arity import ARITY, ENDS
from node.chain.compiler.operations import Logic, logic_of
from node.chain.compiler.spelling import spell_out
from node.chain.compiler.virtual_stack import STACK_LIMIT
from node.chain.compiler.writing import FINISHED, Code, RoutineWriter, py_evm_from

OPERATIONS_MAX = 400
OPERATIONS_LEAST = 200  # from here on a routine ends at the next jump target, so that loops are entered at few places
VISITS_MAX = 2  # of one jump target in one routine: a loop is unrolled once
STACK_ITEMS_MAX = 64  # what a routine may keep in locals


def translate(code: Code, start: int) -> str:
    """Source of `routine(frame)`, which runs the code from `start`."""
    writer = RoutineWriter(code, start)
    visits: Counter[int] = Counter()
    for count in range(OPERATIONS_MAX):
        opcode = code.body[writer.position] if writer.position < len(code.body) else op.STOP
        visits[writer.position] += opcode == op.JUMPDEST
        if visits[writer.position] > VISITS_MAX or len(writer.stack.items) > STACK_ITEMS_MAX:
            break
        if opcode == op.JUMPDEST and count >= OPERATIONS_LEAST:
            break
        _write_operation(writer, opcode)
        if writer.finished:
            break
    if not writer.finished:
        writer.leave_for(writer.position)
    body = [*_entry(writer, start), *writer.lines]
    return "\n".join(["def routine(frame):", *(f" {line}" for line in body if line), ""])


def _entry(writer: RoutineWriter, start: int) -> list[str]:
    """A stack that might run empty or full on the way is py-evm's."""
    least, most = writer.stack.taken, STACK_LIMIT - writer.stack.growth
    return [
        "stack = frame.stack",
        f"if not {least} <= len(stack) <= {most}: return {py_evm_from(start)}",
        "meter = frame.meter",
        "gas = meter.gas_remaining",
        "memory = frame.memory._bytes",
    ]


def _write_operation(writer: RoutineWriter, opcode: int) -> None:
    start = writer.position
    operation: Any = writer.code.opcodes.get(opcode)
    logic = logic_of(operation)
    writer.position += 1
    if logic is not None and spell_out(writer, logic, operation.gas_cost):
        return
    if operation is None or opcode in ARITY:
        _hand_over(writer, opcode, operation, logic)
    else:
        writer.leave_for(py_evm_from(start))


def _hand_over(writer: RoutineWriter, opcode: int, operation: Any, logic: Logic | None) -> None:
    """py-evm's own handler runs, on a real stack with just its operands on top."""
    takes, leaves = ARITY.get(opcode, (0, 0))
    if logic is not None:
        writer.charge(operation.gas_cost)
    operands = [writer.operand() for _ in range(takes)]
    writer.end_segment()
    if operands:
        writer.lines.append(f"stack += ({''.join(f'{operand}, ' for operand in reversed(operands))})")
    writer.lines += [
        "meter.gas_remaining = gas",
        f"frame.computation.code.program_counter = {writer.position}",
        f"operation_{opcode}(frame.computation)",
    ]
    if operation is None or opcode in ENDS:
        writer.fail(f"return {FINISHED}")
        return
    writer.lines += ["gas = meter.gas_remaining", "memory = frame.memory._bytes"]
    if leaves:
        result = writer.assign("stack.pop()")
        writer.lines.append(f"if {result}.__class__ is not int: {result} = from_bytes({result})")
        writer.stack.push(result)
