"""What a routine's source may hold: whole numbers and the fixed words of the compiler, whatever the bytecode."""

import ast
from random import Random

import pytest
from eth.vm import opcode_values as op
from eth.vm.forks.prague.opcodes import PRAGUE_OPCODES

from node.chain.compiler.jump_targets import jump_targets
from node.chain.compiler.program import Program
from node.chain.compiler.translation import OPERATIONS_MAX, translate
from node.chain.compiler.writing import Code
from tests.node.compiler.random_programs import random_program

WORDS = {"MAX", "SIGN", "bad_jump", "code", "frame", "from_bytes", "gas", "grow", "int", "keccak", "len", "memory", "meter"}
WORDS |= {"out_of_gas", "read_slot", "stack", "targets", "routine", "write_log", "write_slot"}
NUMBERED = ("operation_", "s", "t")
ATTRIBUTES = {"__class__", "_bytes", "address", "append", "block_number", "call_data", "code", "computation", "data", "gas_remaining"}
ATTRIBUTES |= {"memory", "message", "meter", "origin", "pop", "program_counter", "return_data", "sender", "stack", "state"}
ATTRIBUTES |= {"timestamp", "to_bytes", "transaction_context", "value"}
LINES_PER_OPERATION_MAX = 24


def source_of(body: bytes, start: int = 0) -> str:
    return translate(Code(body, jump_targets(body), PRAGUE_OPCODES), start)


def assert_plain(source: str) -> None:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            stem = node.id.rstrip("0123456789")
            assert node.id in WORDS or (stem in NUMBERED and stem != node.id), node.id
        elif isinstance(node, ast.Attribute):
            assert node.attr in ATTRIBUTES, node.attr
        elif isinstance(node, ast.Constant):
            assert type(node.value) is int, node.value
        else:
            assert not isinstance(node, (ast.Import, ast.ImportFrom, ast.Lambda, ast.Global, ast.JoinedStr)), node


@pytest.mark.parametrize("seed", range(4))
def test_source_holds_numbers_and_fixed_words(seed: int) -> None:
    random = Random(seed)
    for _ in range(200):
        assert_plain(source_of(random_program(random)))
        assert_plain(source_of(random.randbytes(400)))


def test_text_in_the_code_stays_a_number() -> None:
    text = b'"""\nimport os;os.abort()#'
    source = source_of(bytes([op.PUSH0 + len(text)]) + text + bytes([op.PUSH0, op.SSTORE]))
    assert "import" not in source
    assert str(int.from_bytes(text)) in source


def test_a_foreign_word_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        assert_plain("def routine(frame):\n return open(frame)")


def test_a_routine_cannot_reach_pythons_builtins() -> None:
    routine = Program(bytes([op.STOP]), PRAGUE_OPCODES).translate(0)
    assert set(routine.__globals__["__builtins__"]) == {"int", "len"}


@pytest.mark.parametrize("opcode", [op.JUMPDEST, op.PUSH0, op.CALLER, op.DUP1, op.CALLVALUE, op.ISZERO, op.LOG4, op.JUMPI])
def test_the_source_of_a_routine_is_bounded(opcode: int) -> None:
    body = bytes([op.CALLER, op.CALLER, op.CALLER, op.LT, opcode]) * 5_000
    source = source_of(body)
    assert source.count("\n") < OPERATIONS_MAX * LINES_PER_OPERATION_MAX
    assert len(source) < OPERATIONS_MAX * 1_000


def test_constants_are_folded() -> None:
    source = source_of(bytes([op.PUSH1, 1, op.PUSH1, 1, op.PUSH1, 160, op.SHL, op.SUB, op.PUSH0, op.SSTORE]))
    assert f"write_slot(frame, gas, 0, {2**160 - 1})" in source


def test_a_call_and_its_return_are_one_routine() -> None:
    """push the way back, jump to a function, jump back: no jump is left."""
    body = bytes([op.PUSH1, 6, op.PUSH1, 8, op.JUMP, 0xFE, op.JUMPDEST, op.STOP, op.JUMPDEST, op.JUMP])
    assert source_of(body).splitlines()[-1] == " return -1"


def test_a_loop_is_entered_at_few_places_however_long_it_is() -> None:
    body = bytes([op.CALLER, op.JUMPDEST]) + bytes([op.DUP1, op.MUL]) * 101 + bytes([op.PUSH1, 1, op.JUMP])
    position, entered = 0, set[int]()
    while position not in entered:
        entered.add(position)
        position = int(source_of(body, position).splitlines()[-1].removeprefix(" return "))
    assert entered == {0, 1}
