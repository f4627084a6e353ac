"""The source of one routine as it grows: lines, the virtual stack, and the gas of the segment being written.

Gas is charged ahead for a segment, a run of operations that can fail only by running out, but for its last one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from node.chain.compiler.virtual_stack import Item, Test, VirtualStack, text_of

MAX = (1 << 256) - 1
SIGN = 1 << 255
FINISHED = -1  # a routine returns this, the next position, or where py-evm must take over: `py_evm_from(position)`


@dataclass(frozen=True)
class Code:
    """A contract's code with what its translation needs to know."""

    body: bytes
    targets: frozenset[int]
    opcodes: Mapping[int, Any]


@dataclass
class RoutineWriter:
    """`position` is the operation to be written next."""

    code: Code
    position: int
    stack: VirtualStack = field(default_factory=VirtualStack)
    lines: list[str] = field(default_factory=list)
    finished: bool = False
    _locals_count: int = 0
    _segment_line: int | None = None
    _segment_gas: int = 0

    # Operands and results

    def popped(self) -> Item:
        item = self.stack.pop()
        self.lines += self.stack.loads(item)
        return item

    def operand(self) -> int | str:
        """The top item as a constant or a local: texts never nest, so they never grow."""
        item = self.popped()
        return self.assign(text_of(item)) if isinstance(item, Test) else item

    def compute(self, expression: str, operand_count: int) -> None:
        operands = [self.operand() for _ in range(operand_count)]
        text = expression.format(*operands)
        if "frame" not in text and all(isinstance(operand, int) for operand in operands):
            self.stack.push(eval(text, {"MAX": MAX}))  # noqa: S307 (a text of this package over whole numbers)
        else:
            self.stack.push(self.assign(text))

    def assign(self, expression: str) -> str:
        name = self.new_local()
        self.lines.append(f"{name} = {expression}")
        return name

    def new_local(self) -> str:
        self._locals_count += 1
        return f"t{self._locals_count}"

    # Gas and memory

    def charge(self, gas: int) -> None:
        if self._segment_line is None:
            self._segment_line, self._segment_gas = len(self.lines), 0
            self.lines += ["", ""]
        self._segment_gas += gas

    def end_segment(self) -> None:
        """To be called after each operation that can fail otherwise than by running out, and before each that reads the gas."""
        if self._segment_line is not None and self._segment_gas:
            charge = [f"gas -= {self._segment_gas}", "if gas < 0: raise out_of_gas()"]
            self.lines[self._segment_line : self._segment_line + 2] = charge
        self._segment_line = None

    def grow(self, start: int | str, size: int) -> int | str:
        """Memory holds `size` bytes (not 0) from `start`; returns their end."""
        end = start + size if isinstance(start, int) else f"{start} + {size}"
        self.lines.append(f"if len(memory) < {end}: gas, memory = grow(frame, gas, {end})")
        return end

    # Leaving

    def leave_for(self, position: int | str) -> None:
        self.end_segment()
        self.lines += self._leaving(position)
        self.finished = True

    def leave_if(self, condition: str, position: int | str, refusal: str = "") -> None:
        self.lines += [f"if {condition}:", *(f" {line}" for line in [refusal, *self._leaving(position)] if line)]

    def fail(self, statement: str) -> None:
        self.lines.append(statement)
        self.finished = True

    def finish(self) -> None:
        self.end_segment()
        self.lines += ["meter.gas_remaining = gas", f"return {FINISHED}"]
        self.finished = True

    def _leaving(self, position: int | str) -> list[str]:
        return [*self.stack.leave(), "meter.gas_remaining = gas", f"return {position}"]


def py_evm_from(position: int) -> int:
    """What a routine returns to say that py-evm must carry on from a position. Its own inverse."""
    return -2 - position
