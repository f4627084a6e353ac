"""How each operation that this package knows is written into a routine."""

from collections.abc import Callable, Mapping

from eth.constants import GAS_SHA3WORD

from node.chain.compiler import operations as known
from node.chain.compiler.outlook import leads_to_failure
from node.chain.compiler.virtual_stack import Test, condition_of
from node.chain.compiler.writing import RoutineWriter


def spell_out(writer: RoutineWriter, logic: known.Logic, cost: int) -> bool:
    """Writes the operation before `writer.position`; False if it is not a known one."""
    if logic in known.PUSHES:
        writer.charge(cost)
        _push(writer, known.PUSHES[logic])
    elif logic in known.DUPLICATIONS:
        writer.charge(cost)
        writer.stack.duplicate(known.DUPLICATIONS[logic])
    elif logic in known.SWAPS:
        writer.charge(cost)
        writer.stack.swap(known.SWAPS[logic])
    elif logic in known.EXPRESSIONS:
        writer.charge(cost)
        writer.compute(known.EXPRESSIONS[logic], known.operand_count(logic))
    elif logic in known.TESTS:
        writer.charge(cost)
        left, right = writer.operand(), writer.operand()
        writer.stack.push(Test(known.TESTS[logic].format(left, right)))
    elif logic in known.READINGS:
        writer.charge(cost)
        writer.stack.push(writer.assign(known.READINGS[logic]))
    elif logic in known.LOGS:
        writer.charge(cost)
        _log(writer, known.LOGS[logic])
    elif logic in _SPELLINGS:
        writer.charge(cost)
        _SPELLINGS[logic](writer)
    else:
        return False
    return True


def _push(writer: RoutineWriter, size: int) -> None:
    data = writer.code.body[writer.position : writer.position + size]
    writer.stack.push(int.from_bytes(data.ljust(size, b"\0")))
    writer.position += size


def _pop(writer: RoutineWriter) -> None:
    writer.stack.pop()


def _is_zero(writer: RoutineWriter) -> None:
    item = writer.popped()
    writer.stack.push(item.negated() if isinstance(item, Test) else Test(f"not {item}"))


def _position(writer: RoutineWriter) -> None:
    writer.stack.push(writer.position - 1)


def _target(writer: RoutineWriter) -> None:
    """A jump target does nothing."""


def _gas(writer: RoutineWriter) -> None:
    writer.end_segment()
    writer.stack.push(writer.assign("gas"))


def _load(writer: RoutineWriter) -> None:
    start = writer.operand()
    end = writer.grow(start, 32)
    writer.stack.push(writer.assign(f"from_bytes(memory[{start}:{end}])"))


def _store(writer: RoutineWriter) -> None:
    start, value = writer.operand(), writer.operand()
    end = writer.grow(start, 32)
    writer.lines.append(f"memory[{start}:{end}] = ({value}).to_bytes(32)")


def _hash(writer: RoutineWriter) -> None:
    start, size = writer.operand(), writer.operand()
    if isinstance(size, int):
        writer.charge(GAS_SHA3WORD * ((size + 31) // 32))
        end = writer.grow(start, size) if size else start
    else:
        end = f"{start} + {size}"
        writer.lines += [
            f"gas -= {GAS_SHA3WORD} * (({size} + 31) // 32)",
            "if gas < 0: raise out_of_gas()",
            f"if {size} and len(memory) < {end}: gas, memory = grow(frame, gas, {end})",
        ]
    writer.stack.push(writer.assign(f"from_bytes(keccak(memory[{start}:{end}]))"))


def _read_slot(writer: RoutineWriter) -> None:
    slot, value = writer.operand(), writer.new_local()
    writer.lines.append(f"gas, {value} = read_slot(frame, gas, {slot})")
    writer.stack.push(value)


def _write_slot(writer: RoutineWriter) -> None:
    slot, value = writer.operand(), writer.operand()
    writer.end_segment()
    writer.lines.append(f"gas = write_slot(frame, gas, {slot}, {value})")


def _log(writer: RoutineWriter, topic_count: int) -> None:
    start, size = writer.operand(), writer.operand()
    topics = "".join(f"{writer.operand()}, " for _ in range(topic_count))
    writer.end_segment()
    writer.lines.append(f"gas, memory = write_log(frame, gas, {start}, {size}, ({topics}))")


def _jump(writer: RoutineWriter) -> None:
    target = writer.operand()
    writer.end_segment()
    if not isinstance(target, int):
        writer.lines.append(_refusal(target))
        writer.leave_for(target)
    elif target in writer.code.targets:
        writer.position = target
    else:
        writer.fail(f"raise bad_jump(code, {target})")


def _jump_if(writer: RoutineWriter) -> None:
    target, condition = writer.operand(), condition_of(writer.popped())
    writer.end_segment()
    if not isinstance(target, int):
        writer.leave_if(condition, target, _refusal(target))
    elif target not in writer.code.targets:
        writer.lines.append(f"if {condition}: raise bad_jump(code, {target})")
    elif leads_to_failure(writer.code.body, writer.position):
        writer.leave_if(f"not ({condition})", writer.position)
        writer.position = target
    else:
        writer.leave_if(condition, target)


def _refusal(target: str) -> str:
    return f"if {target} not in targets: raise bad_jump(code, {target})"


_SPELLINGS: Mapping[known.Logic, Callable[[RoutineWriter], None]] = {
    known.POP: _pop,
    known.IS_ZERO: _is_zero,
    known.POSITION: _position,
    known.GAS: _gas,
    known.TARGET: _target,
    known.LOAD: _load,
    known.STORE: _store,
    known.HASH: _hash,
    known.READ_SLOT: _read_slot,
    known.WRITE_SLOT: _write_slot,
    known.JUMP: _jump,
    known.JUMP_IF: _jump_if,
    known.STOP: RoutineWriter.finish,
}
