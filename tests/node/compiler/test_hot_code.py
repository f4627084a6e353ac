"""Only code that has burned gas is translated, in proportion to what it burned, and one switch turns it all off."""

from typing import Any

import pytest
from eth.vm import opcode_values as op
from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES

from node.chain.compiler import hot_code
from node.chain.compiler.hot_code import CODES_COUNTED_MAX, GAS_PER_LINE, HOT_GAS, PROGRAMS_MAX, HotCode
from node.chain.compiler.operations import is_plain
from tests.node.compiler.differential import outcome
from tests.node.compiler.states import CompiledState, StockState

LOOP = bytes([op.PUSH2, 9, 0, op.JUMPDEST, op.PUSH1, 1, op.SWAP1, op.SUB, op.DUP1, op.PUSH1, 3, op.JUMPI])
LOOP_GAS = 150_000


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> HotCode:
    """Nothing is hot yet."""
    hot = HotCode()
    monkeypatch.setattr(CompiledState.computation_class, "hot_code", hot)
    return hot


def is_translated(hot: HotCode, body: bytes) -> bool:
    program = hot._programs.get(body)
    return program is not None and bool(program.routines)


def test_code_is_translated_once_it_has_burned_enough(fresh: HotCode) -> None:
    first = outcome(CompiledState, LOOP, gas=LOOP_GAS)
    assert first.error == ""
    assert not is_translated(fresh, LOOP)
    for _ in range(HOT_GAS // 50_000):
        assert outcome(CompiledState, LOOP, gas=LOOP_GAS) == first
    assert is_translated(fresh, LOOP)


def test_gas_that_an_error_burned_heats_nothing(fresh: HotCode) -> None:
    for _ in range(3):
        assert outcome(CompiledState, bytes([0xFE]), gas=HOT_GAS).error == "InvalidInstruction"
    assert fresh.program(bytes([0xFE]), PRAGUE_OPCODES) is None


def test_a_caller_is_not_heated_by_what_it_calls(fresh: HotCode) -> None:
    caller = bytes([op.PUSH0] * 5 + [op.PUSH1, 0x20, op.GAS, op.CALL])
    for _ in range(5):
        assert outcome(CompiledState, caller, gas=LOOP_GAS, other=LOOP).error == ""
    assert is_translated(fresh, LOOP)
    assert not is_translated(fresh, caller)


def test_translation_stops_where_the_code_has_not_paid_for_more(fresh: HotCode, monkeypatch: pytest.MonkeyPatch) -> None:
    body = bytes([op.JUMPDEST] * 8 + [op.CALLVALUE, op.POP])
    fresh.count(body, HOT_GAS)
    program = fresh.program(body, PRAGUE_OPCODES)
    assert program is not None
    program.lines_translated = HOT_GAS // GAS_PER_LINE
    assert fresh.routine(program, 0) is None
    assert outcome(CompiledState, body) == outcome(StockState, body)
    fresh.count(body, GAS_PER_LINE)
    assert fresh.routine(program, 0) is not None
    monkeypatch.setattr(hot_code, "LINES_MAX", 1)
    assert fresh.routine(program, 1) is None


def test_the_hottest_programs_are_kept_and_their_number_is_bounded() -> None:
    hot = HotCode(gas_granted=HOT_GAS)
    kept = hot.program(b"\x00", PRAGUE_OPCODES)
    for number in range(PROGRAMS_MAX):
        hot.program(bytes([op.PUSH1, number]), PRAGUE_OPCODES)
        assert hot.program(b"\x00", PRAGUE_OPCODES) is kept
    assert len(hot._programs) == PROGRAMS_MAX
    assert bytes([op.PUSH1, 0]) not in hot._programs


def test_the_number_of_counted_codes_is_bounded() -> None:
    hot = HotCode()
    hot.count(b"old", HOT_GAS)
    for number in range(CODES_COUNTED_MAX):
        hot.count(number.to_bytes(4), 1)
    assert len(hot._burned) == CODES_COUNTED_MAX
    assert hot.program(b"old", PRAGUE_OPCODES) is None


def test_the_switch_leaves_everything_to_py_evm(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outcome(StockState, LOOP)
    monkeypatch.setattr(CompiledState.computation_class, "hot_code", None)
    assert outcome(CompiledState, LOOP) == expected


def test_operations_that_someone_watches_are_left_to_py_evm() -> None:
    seen: list[int] = []

    def watched(opcode: int, operation: Any) -> Any:
        def step(computation: Any) -> None:
            seen.append(opcode)
            operation(computation=computation)

        return step

    computation = CompiledState.computation_class
    opcodes = {opcode: watched(opcode, operation) for opcode, operation in computation.opcodes.items()}
    watching = type("Watching", (computation,), {"opcodes": opcodes})
    state_class = type("WatchingState", (CompiledState,), {"computation_class": watching})
    assert outcome(state_class, LOOP) == outcome(StockState, LOOP)
    assert seen.count(op.JUMPI) == 0x900


def test_plain_operations_are_compiled() -> None:
    assert is_plain(PRAGUE_OPCODES)
