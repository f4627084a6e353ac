"""A code stream whose reader is heard of while py-evm's loop runs, so that someone may end it."""

from collections.abc import Callable, Iterator

from eth.vm.code_stream import CodeStream

OPCODES_A_PULSE = 1_024


class PulsedCode(CodeStream):
    """Calls `pulse`, if there is one, before the first opcode and then every so many. What it raises ends the execution."""

    __slots__ = ("_pulse",)

    def __init__(self, body: bytes, pulse: Callable[[], None] | None) -> None:
        super().__init__(body)
        self._pulse = pulse

    def __iter__(self) -> Iterator[int]:
        opcodes = super().__iter__()
        return opcodes if self._pulse is None else _pulsed(opcodes, self._pulse)


def _pulsed(opcodes: Iterator[int], pulse: Callable[[], None]) -> Iterator[int]:
    for count, opcode in enumerate(opcodes):
        if count % OPCODES_A_PULSE == 0:
            pulse()
        yield opcode
