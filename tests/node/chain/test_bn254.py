"""ECMUL and ECPAIRING give what py-evm's own give, byte for byte: results, gas and refusals."""

from random import Random

import pytest
from py_ecc.optimized_bn128 import G1, G2, curve_order, multiply, normalize

from node.chain.bn254 import BN254_PRECOMPILES, FIELD, ecmul, ecpairing
from node.chain.rules import NodeComputation
from tests.node.chain.precompile_runs import assert_alike, heard_of

ECMUL, ECPAIRING = BN254_PRECOMPILES
EDGES = [0, 1, 2, 3, 15, 16, 17, 255, curve_order - 1, curve_order, curve_order + 1, 2 * curve_order, FIELD, 2**256 - 1, 1 << 255]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def point(times: int) -> bytes:
    x, y = normalize(multiply(G1, times))
    return word(x.n) + word(y.n)


def test_the_node_runs_it() -> None:
    assert NodeComputation.get_precompiles()[ECMUL] is ecmul
    assert NodeComputation.get_precompiles()[ECPAIRING] is ecpairing


@pytest.mark.parametrize("scalar", EDGES)
def test_products_at_the_edges_are_alike(scalar: int) -> None:
    for times in (1, 2, curve_order - 1):
        assert not assert_alike(ECMUL, point(times) + word(scalar)).refused
    assert assert_alike(ECMUL, bytes(64) + word(scalar)).output == bytes(64)


def test_random_products_are_alike() -> None:
    random = Random(1)
    for _ in range(60):
        assert not assert_alike(ECMUL, point(random.randrange(1, curve_order)) + random.randbytes(32)).refused


def test_call_data_of_any_length_is_padded_or_cut_alike() -> None:
    whole = point(5) + word(7 << 200) + b"more"
    for length in (0, 1, 31, 32, 33, 63, 64, 65, 80, 95, 96, 97, 100):
        assert_alike(ECMUL, whole[:length])


@pytest.mark.parametrize(("x", "y"), [(1, 3), (FIELD, 0), (0, FIELD), (1 + FIELD, 2), (1, 2 + FIELD), (2**256 - 1, 2**256 - 1), (0, 1)])
def test_what_is_no_point_is_refused_alike(x: int, y: int) -> None:
    assert assert_alike(ECMUL, word(x) + word(y) + word(3)).refused


def pair(times: int, twist_times: int = 1) -> bytes:
    (x, y), (u, v) = normalize(multiply(G1, times)), normalize(multiply(G2, twist_times))
    return word(int(x)) + word(int(y)) + b"".join(word(int(part)) for item in (u, v) for part in reversed(item.coeffs))


def test_pairings_are_alike_and_refused_alike() -> None:
    assert assert_alike(ECPAIRING, b"").output == word(1)
    assert assert_alike(ECPAIRING, pair(6) + pair(curve_order - 3, 2)).output == word(1)
    assert assert_alike(ECPAIRING, pair(6) + pair(curve_order - 3, 3)).output == word(0)
    assert assert_alike(ECPAIRING, bytes(192)).output == word(1)
    assert assert_alike(ECPAIRING, pair(2)[:64] + bytes(128)).output == word(1)
    valid = pair(2)
    off_the_curve, off_the_twist = valid[:63] + bytes([valid[63] ^ 1]) + valid[64:], valid[:-1] + bytes([valid[-1] ^ 1])
    out_of_the_field = word(FIELD) + valid[32:], valid[:64] + word(FIELD) + valid[96:]
    for wrong in (valid[:-1], valid + b"\0", off_the_curve, off_the_twist, *out_of_the_field):
        assert assert_alike(ECPAIRING, wrong).refused


def test_a_pulse_is_heard_before_each_pair() -> None:
    assert heard_of(ECPAIRING, bytes(192) * 3) == 3
