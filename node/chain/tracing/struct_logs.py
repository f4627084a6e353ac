"""geth's default tracer: one line for every step of the EVM."""

from dataclasses import dataclass, field

from eth.abc import MessageAPI
from eth.exceptions import VMError
from eth.vm.computation import BaseComputation

from node.chain.budget import Hold
from node.chain.errors import TooMuch
from node.chain.failures import failure_text
from node.chain.tracing.watched import Tracer, as_number

STEPS_MAX = 200_000
STEP_BYTES, WORD_BYTES, SLOT_BYTES = 100, 69, 138  # in the answer; of a step without its parts, a word of memory, a slot


@dataclass(frozen=True)
class StructLogOptions:
    stack: bool = True
    memory: bool = False
    storage: bool = True
    return_data: bool = False
    steps_max: int = 0  # 0: none asked for, more than STEPS_MAX is refused


@dataclass
class Step:
    pc: int
    operation: str
    gas: int
    depth: int
    stack: list[int]
    memory: bytes
    return_data: bytes
    storage: dict[int, int] | None = None  # all slots of the account met so far, at a step that meets one
    gas_cost: int = 0
    failure: str | None = None


@dataclass
class StructLogs(Tracer):
    options: StructLogOptions
    hold: Hold
    steps: list[Step] = field(default_factory=list)
    _open: list[Step | None] = field(default_factory=list)  # steps begun and not ended, outermost first; None if not kept
    _met: dict[bytes, dict[int, int]] = field(default_factory=dict)

    def before_step(self, computation: BaseComputation, operation: str) -> None:
        beyond_limit = self.options.steps_max and len(self.steps) >= self.options.steps_max
        if beyond_limit or not len(computation.code):  # as geth: an account without code runs nothing, not even STOP
            self._open.append(None)
            return
        stack = [as_number(item) for item in computation._stack.values] if self.options.stack else []  # type: ignore[attr-defined]
        memory = bytes(computation._memory._bytes) if self.options.memory else b""  # type: ignore[attr-defined]
        return_data = bytes(computation.return_data) if self.options.return_data else b""
        if len(self.steps) >= STEPS_MAX:
            raise TooMuch(f"the trace is too large: at most {STEPS_MAX} steps; set limit")
        of_stack = sum(item.bit_length() // 4 + 6 for item in stack)
        self.hold(STEP_BYTES + of_stack + WORD_BYTES * (len(memory) // 32) + 2 * len(return_data))
        step = Step(
            pc=_position(computation, operation),
            operation=operation,
            gas=computation._gas_meter.gas_remaining,
            depth=computation.msg.depth + 1,
            stack=stack,
            memory=memory,
            return_data=return_data,
        )
        if self.options.storage and operation in ("SLOAD", "SSTORE"):
            step.storage = self._storage_met(computation, operation)
        self.steps.append(step)
        self._open.append(step)

    def after_step(self, computation: BaseComputation, failure: VMError | None) -> None:
        step = self._open.pop()
        if step is None:
            return
        if not step.gas_cost:
            step.gas_cost = step.gas - computation._gas_meter.gas_remaining
        if failure is not None and step.operation != "REVERT":
            step.failure = failure_text(failure)

    def enter(self, parent: BaseComputation, message: MessageAPI) -> None:
        step = self._open[-1]
        if step is not None:  # a call's cost holds the gas it hands on, a creation's does not
            handed_on = message.gas if message.is_create else 0
            step.gas_cost = step.gas - parent._gas_meter.gas_remaining - handed_on

    def _storage_met(self, computation: BaseComputation, operation: str) -> dict[int, int] | None:
        stack, address = computation._stack.values, computation.msg.storage_address  # type: ignore[attr-defined]
        if len(stack) < (1 if operation == "SLOAD" else 2):
            return None
        slot = as_number(stack[-1])
        met = self._met.setdefault(bytes(address), {})
        met[slot] = computation.state.get_storage(address, slot) if operation == "SLOAD" else as_number(stack[-2])
        self.hold(SLOT_BYTES * len(met))
        return dict(met)


def _position(computation: BaseComputation, operation: str) -> int:
    """Of the operation's byte; of the STOP that every code ends with and none holds, the place after the last byte."""
    code, behind = computation.code, computation.code.program_counter
    written = operation != "STOP" or (behind <= len(code) and code[behind - 1] == 0 and code.is_valid_opcode(behind - 1))
    return behind - 1 if written else behind
