"""The places where a translation is easily a little wrong, one by one. `assert_same` compares with py-evm's own loop."""

import threading

import pytest
from eth.vm import opcode_values as op

from tests.node.compiler.differential import GAS, assert_same

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode:DeprecationWarning")  # py-evm says so at every one
FULL = bytes([op.PUSH0]) * 1_024
RETURN_TOP = bytes([op.PUSH0, op.MSTORE, op.PUSH1, 32, op.PUSH0, op.RETURN])

SMALL_THREAD_STACK_BYTES = 4 << 20


def push(value: int, size: int = 32) -> bytes:
    return bytes([op.PUSH0 + size]) + value.to_bytes(size)


def test_the_stack_may_be_filled_to_the_last_item() -> None:
    assert assert_same(FULL).error == ""


@pytest.mark.parametrize("over", [bytes([op.PUSH0]), bytes([op.DUP1]), bytes([op.CALLER]), bytes([op.GAS, op.POP])])
def test_one_item_more_fails_even_if_it_is_dropped_at_once(over: bytes) -> None:
    assert assert_same(FULL + over + bytes([op.POP])).error == "FullStack"


def test_an_operation_that_frees_its_room_first_does_not_overflow() -> None:
    assert assert_same(FULL + bytes([op.ADD, op.CALLER, op.POP])).error == ""


@pytest.mark.parametrize("body", [bytes([op.ADD]), bytes([op.PUSH0, op.ADD]), bytes([op.PUSH0, op.SWAP1]), bytes([op.PUSH0, op.DUP2])])
def test_taking_from_an_empty_stack_fails(body: bytes) -> None:
    assert assert_same(body).error == "InsufficientStack"


def test_running_out_of_gas_comes_before_an_empty_stack_if_it_happens_first() -> None:
    body = bytes([op.PUSH0, op.PUSH0, op.ADD, op.ADD])
    assert assert_same(body, gas=6).error == "OutOfGas"
    assert assert_same(body, gas=10).error == "InsufficientStack"


def test_a_jump_goes_to_a_target() -> None:
    body = bytes([op.PUSH1, 4, op.JUMP, 0xFE, op.JUMPDEST, op.GAS])
    assert assert_same(body + RETURN_TOP).output == (GAS - 3 - 8 - 1 - 2).to_bytes(32)


def test_a_jump_elsewhere_fails_by_what_stands_there() -> None:
    assert assert_same(bytes([op.PUSH1, 3, op.JUMP, op.PUSH0])).error == "InvalidJumpDestination"
    assert assert_same(push(1 << 200) + bytes([op.JUMP])).error == "InvalidJumpDestination"
    assert assert_same(bytes([op.PUSH1, 4, op.JUMP, op.PUSH1, op.JUMPDEST])).error == "InvalidInstruction"
    assert assert_same(bytes([op.CALLVALUE, op.JUMP, op.PUSH1, op.JUMPDEST])).error == "InvalidInstruction"


def test_a_conditional_jump_elsewhere_fails_only_if_it_is_taken() -> None:
    def body(condition: int) -> bytes:
        return bytes([op.PUSH1, condition, op.PUSH1, 3, op.JUMPI, op.STOP])

    assert assert_same(body(0)).error == ""
    assert assert_same(body(1)).error == "InvalidJumpDestination"


@pytest.mark.parametrize("negation", [b"", bytes([op.ISZERO]), bytes([op.ISZERO, op.ISZERO])])
@pytest.mark.parametrize("value", [0, 1, 2])
def test_a_check_fails_only_what_it_should(value: int, negation: bytes) -> None:
    """Compilers jump over the failure if all is well; the translation expects that all is."""
    condition = bytes([op.PUSH1, value, op.CALLDATASIZE, op.LT]) if value == 2 else bytes([op.PUSH1, value])
    checks = condition + negation + bytes([op.PUSH1, len(condition + negation) + 6, op.JUMPI])
    body = checks + bytes([op.PUSH0, op.PUSH0, op.REVERT, op.JUMPDEST, op.CALLVALUE]) + RETURN_TOP
    is_true = (value == 1) == (len(negation) != 1)
    assert assert_same(body).error == ("" if is_true else "Revert")


def test_a_loop_counts_to_its_end() -> None:
    loop = bytes([op.PUSH0, op.JUMPDEST, op.PUSH1, 1, op.ADD, op.DUP1, op.PUSH1, 200, op.GT, op.PUSH1, 1, op.JUMPI])
    assert assert_same(loop + RETURN_TOP).output == (200).to_bytes(32)


def test_a_write_needs_more_gas_than_the_stipend_even_if_it_costs_less() -> None:
    body = push(7, 1) + push(1, 1) + bytes([op.SSTORE]) + bytes([op.PUSH1, 7, op.PUSH1, 1, op.SSTORE, op.PUSH0, op.POP])
    first_costs = 3 + 3 + 100 + 2_100
    assert assert_same(body, gas=first_costs + 6 + 2_300).error == "OutOfGas"
    assert assert_same(body, gas=first_costs + 6 + 2_301).error == ""


@pytest.mark.parametrize("values", [(0,), (7,), (9,), (9, 7), (0, 7), (9, 0), (0, 0, 5), (9, 9)])
@pytest.mark.parametrize("slot", [1, 5])
def test_writes_are_charged_and_refunded_alike(slot: int, values: tuple[int, ...]) -> None:
    body = b"".join(bytes([op.PUSH1, value, op.PUSH1, slot, op.SSTORE]) for value in values)
    assert assert_same(body).error == ""


@pytest.mark.parametrize("opcode", [op.SSTORE, op.TSTORE, op.LOG0, op.LOG4, op.CREATE, op.CREATE2, op.SELFDESTRUCT])
def test_a_static_call_may_not_write(opcode: int) -> None:
    body = bytes([op.PUSH0]) * 7 + bytes([opcode, op.STOP])
    assert assert_same(body, is_static=True).error == "WriteProtection"
    assert assert_same(body).error == ""


@pytest.mark.parametrize("opcode", [op.SSTORE, op.LOG2])
def test_running_out_comes_before_write_protection_if_it_happens_first(opcode: int) -> None:
    body = bytes([op.PUSH0]) * 4 + bytes([opcode, op.PUSH0, op.POP])
    price = 375 if opcode == op.LOG2 else 0
    assert assert_same(body, is_static=True, gas=8 + price).error == "WriteProtection"
    assert assert_same(body, is_static=True, gas=7 + price).error == "OutOfGas"


@pytest.mark.parametrize("start", [0, 1, 31, 32, 33, 500, 1 << 20, 1 << 70, (1 << 256) - 1])
@pytest.mark.parametrize("opcode", [op.MLOAD, op.MSTORE, op.SHA3, op.LOG0])
def test_memory_grows_alike(opcode: int, start: int) -> None:
    size = bytes([op.PUSH1, 33]) if opcode in (op.SHA3, op.LOG0) else bytes([op.CALLER])
    assert_same(size + push(start) + bytes([opcode, op.MSIZE]) + RETURN_TOP)


@pytest.mark.parametrize("opcode", [op.SHA3, op.LOG0])
def test_nothing_of_memory_far_out_costs_nothing(opcode: int) -> None:
    assert assert_same(bytes([op.PUSH0]) + push(1 << 255) + bytes([opcode, op.MSIZE]) + RETURN_TOP).error == ""
    assert assert_same(bytes([op.RETURNDATASIZE]) + push(1 << 255) + bytes([opcode, op.MSIZE]) + RETURN_TOP).error == ""


EDGES = [0, 1, 2, 30, 31, 32, 128, 255, 256, 257, (1 << 255) - 1, 1 << 255, (1 << 256) - 1]
BINARY = [
    *range(op.ADD, op.SMOD + 1),
    op.EXP,
    op.SIGNEXTEND,
    *range(op.LT, op.EQ + 1),
    op.AND,
    op.OR,
    op.XOR,
    op.BYTE,
    op.SHL,
    op.SHR,
    op.SAR,
]


@pytest.mark.parametrize("opcode", BINARY)
def test_arithmetic_is_alike_at_the_edges(opcode: int) -> None:
    """Folded from constants, and computed from values that the translation cannot know."""
    unknown = bytes([op.PUSH0, op.MSTORE, op.PUSH0, op.MLOAD])
    for right in EDGES:
        folded = b"".join(push(right) + push(left) + bytes([opcode]) + push(32 * at) + bytes([op.MSTORE]) for at, left in enumerate(EDGES))
        computed = b"".join(
            push(right) + unknown + push(left) + unknown + bytes([opcode]) + push(32 * at) + bytes([op.MSTORE])
            for at, left in enumerate(EDGES, 1)
        )
        for body in (folded, computed):
            assert assert_same(body + push(32 * 14) + bytes([op.PUSH0, op.RETURN])).error == ""


@pytest.mark.parametrize("start", [0, 1, 45, 76, 77, 78, 108, 109, 1 << 64, (1 << 256) - 1])
def test_call_data_ends_in_zeros(start: int) -> None:
    assert assert_same(push(start) + bytes([op.CALLDATALOAD]) + RETURN_TOP).error == ""


def test_code_that_ends_inside_a_push_is_padded() -> None:
    assert assert_same(bytes([op.PUSH1, 5, op.PUSH1])).error == ""


def test_an_unknown_operation_fails() -> None:
    assert assert_same(bytes([op.PUSH0, 0x0C])).error == "InvalidInstruction"


def test_calls_go_as_deep_as_they_may_on_a_small_stack() -> None:
    """The contract calls itself until it may not; each level returns how many it is above the deepest."""
    operands = bytes([op.PUSH1, 32, op.PUSH0, op.PUSH0, op.PUSH0, op.PUSH0, op.ADDRESS, op.GAS])
    body = operands + bytes([op.CALL, op.PUSH0, op.MLOAD, op.ADD]) + RETURN_TOP
    outputs: list[bytes] = []
    usual = threading.stack_size(SMALL_THREAD_STACK_BYTES)
    try:
        thread = threading.Thread(target=lambda: outputs.append(assert_same(body, gas=1 << 40).output))
        thread.start()
    finally:
        threading.stack_size(usual)
    thread.join()
    assert outputs == [(1_024).to_bytes(32)]
