"""MODEXP by the definition of EIP-198, at the edges of its lengths."""

from itertools import product
from random import Random

import pytest

from node.chain.modexp import DIGITS_A_PULSE, MODEXP_ADDRESS, SHORT_EXPONENT, SHORT_MODULUS, modexp
from node.chain.rules import NodeComputation
from tests.node.chain.precompile_runs import Ran, assert_alike, heard_of, ran


def call_data(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    return b"".join(len(item).to_bytes(32, "big") for item in (base, exponent, modulus)) + base + exponent + modulus


def defined(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    b, e, m = (int.from_bytes(item, "big") for item in (base, exponent, modulus))
    return (pow(b, e, m) if m else 0).to_bytes(len(modulus), "big")


NUMBERS = [b"", b"\0", b"\0\0", b"\1", b"\2", b"\0\7", b"\xff" * 33]


@pytest.mark.parametrize("modulus", NUMBERS)
def test_results_are_as_defined(modulus: bytes) -> None:
    for base, exponent in product(NUMBERS, NUMBERS):
        assert run(call_data(base, exponent, modulus)).output == defined(base, exponent, modulus), (base, exponent)


def test_an_absent_base_to_the_power_of_zero_is_one() -> None:
    assert run(call_data(b"", b"\0", b"\5")).output == b"\1"
    assert run(call_data(b"", b"\1", b"\5")).output == b"\0"
    assert run(call_data(b"", b"", b"\1")).output == b"\0"


def test_all_else_is_py_evms() -> None:
    for base, exponent, modulus in product(NUMBERS[1:], NUMBERS, NUMBERS):
        assert_alike(MODEXP_ADDRESS, call_data(base, exponent, modulus)[: 96 + 40])
    for length in (0, 1, 31, 33, 95, 97):
        assert_alike(MODEXP_ADDRESS, call_data(b"\3", b"\2", b"\7")[:length])


def run(data: bytes) -> Ran:
    return ran(NodeComputation.get_precompiles()[MODEXP_ADDRESS], data)


def test_the_node_runs_it() -> None:
    assert NodeComputation.get_precompiles()[MODEXP_ADDRESS] is modexp


@pytest.mark.parametrize("modulus_length", [1, 8, SHORT_MODULUS, SHORT_MODULUS + 1, 2 * SHORT_MODULUS])
@pytest.mark.parametrize("exponent_length", [1, SHORT_EXPONENT, SHORT_EXPONENT + 1, 700])
def test_what_is_done_a_piece_at_a_time_is_the_same_and_gives_pulses(modulus_length: int, exponent_length: int) -> None:
    random = Random(f"{modulus_length} {exponent_length}")
    for leading in (b"", b"\0" * 5):
        base, exponent, modulus = (
            random.randbytes(60),
            leading + random.randbytes(exponent_length),
            b"\7" + random.randbytes(modulus_length - 1),
        )
        data = call_data(base, exponent, modulus)
        assert assert_alike(MODEXP_ADDRESS, data).output == defined(base, exponent, modulus)
        if modulus_length > SHORT_MODULUS:
            assert heard_of(MODEXP_ADDRESS, data) == int.from_bytes(exponent, "big").bit_length()
        else:
            assert heard_of(MODEXP_ADDRESS, data) == (-(-len(exponent) // DIGITS_A_PULSE) if len(exponent) > SHORT_EXPONENT else 0)
