"""ECMUL gives what py-evm's own gives, byte for byte: results, gas and refusals."""

from random import Random

import pytest
from py_ecc.optimized_bn128 import G1, curve_order, multiply, normalize

from node.chain.bn254 import BN254_PRECOMPILES, FIELD, ecmul
from node.chain.rules import NodeComputation
from tests.node.chain.precompile_runs import assert_alike

[ECMUL] = BN254_PRECOMPILES
EDGES = [0, 1, 2, 3, 15, 16, 17, 255, curve_order - 1, curve_order, curve_order + 1, 2 * curve_order, FIELD, 2**256 - 1, 1 << 255]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def point(times: int) -> bytes:
    x, y = normalize(multiply(G1, times))
    return word(x.n) + word(y.n)


def test_the_node_runs_it() -> None:
    assert NodeComputation.get_precompiles()[ECMUL] is ecmul


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
