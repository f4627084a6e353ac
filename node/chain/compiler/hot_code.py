"""Which code is worth translating: the gas that a code burns pays for its translation, so no code costs more to translate
than in proportion to what it has run, and code that runs once costs nothing."""

from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from node.chain.compiler.program import Program, Routine

HOT_GAS = 200_000  # burned by a code, over all its messages, before any of it is translated
GAS_PER_LINE = 100
LINES_MAX = 20_000  # per code
PROGRAMS_MAX = 32
CODES_COUNTED_MAX = 4_096


class HotCode:
    """Counts gas by code and keeps the programs of hot code, the ones run longest ago dropped first. Threads may share it.

    `gas_granted` is what every code is taken to have burned before it was first seen.
    """

    def __init__(self, gas_granted: int = 0) -> None:
        self._gas_granted = gas_granted
        self._burned: OrderedDict[int, int] = OrderedDict()  # by Python's hash of the code: a clash only heats sooner
        self._programs: OrderedDict[bytes, Program] = OrderedDict()
        self._lock = Lock()

    def program(self, body: bytes, opcodes: Mapping[int, Any]) -> Program | None:
        """The program of a code that is hot; None for any other."""
        if self._gas_burned(body) < HOT_GAS:
            return None
        with self._lock:
            program = self._programs.pop(body, None)
            if program is None or program.code.opcodes is not opcodes:
                program = Program(body, opcodes)
            self._programs[body] = program
            if len(self._programs) > PROGRAMS_MAX:
                self._programs.popitem(last=False)
        return program

    def count(self, body: bytes, gas_burned: int) -> None:
        key = hash(body)
        with self._lock:
            self._burned[key] = self._burned.pop(key, 0) + gas_burned
            if len(self._burned) > CODES_COUNTED_MAX:
                self._burned.popitem(last=False)

    def routine(self, program: Program, position: int) -> Routine | None:
        """The routine from a position, translated now if the code has paid for it; None if it has not."""
        lines_paid = self._gas_burned(program.code.body) // GAS_PER_LINE
        if program.lines_translated >= min(lines_paid, LINES_MAX):
            return None
        return program.translate(position)

    def _gas_burned(self, body: bytes) -> int:
        return self._gas_granted + self._burned.get(hash(body), 0)
