"""py-evm's computation with hot code run as Python. `hot_code = None` on the class is the switch that turns it off."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from eth.abc import MessageAPI, StateAPI, TransactionContextAPI
from eth.exceptions import Halt
from eth.vm.computation import BaseComputation
from eth.vm.opcode_values import STOP

from node.chain.compiler.frame import Frame
from node.chain.compiler.hot_code import HotCode
from node.chain.compiler.operations import is_plain
from node.chain.compiler.program import Program
from node.chain.compiler.pulsed_code import PulsedCode
from node.chain.compiler.writing import FINISHED, py_evm_from

if TYPE_CHECKING:
    _Computation = BaseComputation
else:
    _Computation = object


class RoutineCode(PulsedCode):
    """A code stream that runs the routines itself and leaves py-evm's loop only what they gave back.

    Routines do everything py-evm's loop would have done with the opcodes before that; often all that is left is a STOP.
    It is run once, and holds the computation only until then: a cycle would keep its memory, which may be megabytes.
    """

    __slots__ = ("_computation", "_hot_code", "_program")

    def __init__(self, program: Program, hot_code: HotCode, computation: BaseComputation, pulse: Callable[[], None] | None) -> None:
        super().__init__(program.code.body, pulse)
        self._program = program
        self._hot_code = hot_code
        self._computation: BaseComputation | None = computation

    def __iter__(self) -> Iterator[int]:
        position = self._run()
        if position == FINISHED:
            yield STOP
        else:
            self.program_counter = position
            yield from super().__iter__()

    def _run(self) -> int:
        """FINISHED, or the position from which py-evm must carry on."""
        computation, self._computation = self._computation, None
        if computation is None:
            raise RuntimeError("code is run once")
        frame = Frame(computation)
        routines, pulse = self._program.routines, self._pulse
        position = 0
        try:
            while position >= 0:
                routine = routines.get(position) or self._hot_code.routine(self._program, position)
                if routine is None:
                    return position
                if pulse is not None:
                    pulse()
                position = routine(frame)
        except Halt:
            return FINISHED
        return position if position == FINISHED else py_evm_from(position)


class HotCodeComputation(_Computation):
    """Mixed in before a py-evm computation class. Code that creates a contract runs once and is left alone.

    If the state has a `pulse`, it is called at each message and every now and then while code runs.
    """

    hot_code: ClassVar[HotCode | None] = HotCode()

    def __init__(self, state: StateAPI, message: MessageAPI, transaction_context: TransactionContextAPI) -> None:
        super().__init__(state, message, transaction_context)
        pulse: Callable[[], None] | None = getattr(state, "pulse", None)
        if pulse is not None:
            pulse()
            self.code = PulsedCode(message.code, pulse)
        if self.hot_code is not None and message.code and not message.is_create and is_plain(self.opcodes):
            program = self.hot_code.program(message.code, self.opcodes)
            if program is not None:
                self.code = RoutineCode(program, self.hot_code, self, pulse)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        suppressed = super().__exit__(exc_type, exc_value, traceback)
        if suppressed and exc_value is not None:
            exc_value.__traceback__ = None  # kept as this computation's error, it would keep the computation
        if self.hot_code is not None and self.msg.code and not self.msg.is_create and not self.should_burn_gas:
            of_children = sum(child.get_gas_used() for child in self.children)
            self.hot_code.count(self.msg.code, self.get_gas_used() - of_children)
        return suppressed
