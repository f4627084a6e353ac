"""The BLS12-381 precompiles give what py-evm's own give, byte for byte: results, gas and refusals."""

from random import Random

import pytest
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES
from py_ecc.optimized_bls12_381 import G1, G2, curve_order, field_modulus, multiply, neg, normalize

from node.chain.bls12_381 import BLS12_381_PRECOMPILES
from tests.node.chain.precompile_runs import assert_alike

G1_ADD, G1_MSM, G2_ADD, G2_MSM, PAIRING, MAP_G1, MAP_G2 = BLS12_381_PRECOMPILES
INPUT_SIZES = {G1_ADD: 256, G1_MSM: 160, G2_ADD: 512, G2_MSM: 288, PAIRING: 384, MAP_G1: 64, MAP_G2: 128}
ADDRESSES = pytest.mark.parametrize("address", list(INPUT_SIZES), ids=[f"0x{address[-1]:02x}" for address in INPUT_SIZES])


def element(value: int) -> bytes:
    return value.to_bytes(64, "big")


def one(times: int) -> bytes:
    x, y = normalize(multiply(G1, times))
    return element(x.n) + element(y.n) if times % curve_order else bytes(128)


def two(times: int) -> bytes:
    x, y = normalize(multiply(G2, times))
    return b"".join(map(element, (*x.coeffs, *y.coeffs))) if times % curve_order else bytes(256)


def outside_the_subgroup() -> bytes:
    """On the curve of the first group, in no subgroup of interest."""
    for x in range(1, 100):
        square = (x**3 + 4) % field_modulus
        y = pow(square, (field_modulus + 1) // 4, field_modulus)
        if y * y % field_modulus == square:
            return element(x) + element(y)
    raise AssertionError


def scalar(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_every_address_of_the_fork_is_there() -> None:
    assert [address[-1] for address in INPUT_SIZES] == list(range(0x0B, 0x12))
    assert set(BLS12_381_PRECOMPILES) <= set(PRAGUE_PRECOMPILES)


@pytest.mark.parametrize(("left", "right"), [(1, 2), (3, 3), (5, -5), (0, 7), (7, 0), (0, 0)])
def test_points_are_added_alike(left: int, right: int) -> None:
    left, right = left % curve_order, right % curve_order
    assert not assert_alike(G1_ADD, one(left) + one(right)).refused
    assert not assert_alike(G2_ADD, two(left) + two(right)).refused


def test_points_outside_the_subgroup_are_added_but_not_multiplied_or_paired() -> None:
    point = outside_the_subgroup()
    assert not assert_alike(G1_ADD, point + point).refused
    assert assert_alike(G1_MSM, point + scalar(1)).refused
    assert assert_alike(PAIRING, point + two(1)).refused


@pytest.mark.parametrize("scalars", [(1,), (0,), (curve_order,), (2**256 - 1,), (2, 3, 5), (curve_order - 1, 1)])
def test_sums_of_products_are_alike(scalars: tuple[int, ...]) -> None:
    assert not assert_alike(G1_MSM, b"".join(one(at) + scalar(value) for at, value in enumerate(scalars))).refused
    assert not assert_alike(G2_MSM, b"".join(two(at + 1) + scalar(value) for at, value in enumerate(scalars))).refused


def test_many_products_are_discounted_alike() -> None:
    assert assert_alike(G1_MSM, (one(1) + scalar(1)) * 129).gas == 129 * 12_000 * 519 // 1_000


def test_pairings_are_checked_alike() -> None:
    x, y = normalize(neg(multiply(G1, 6)))
    balanced = one(2) + two(3) + element(x.n) + element(y.n) + two(1)
    assert assert_alike(PAIRING, balanced).output == scalar(1)
    assert assert_alike(PAIRING, one(2) + two(3)).output == scalar(0)
    assert assert_alike(PAIRING, bytes(128) + two(3) + one(2) + bytes(256)).output == scalar(1)


@pytest.mark.parametrize("value", [0, 1, 2, 12_345, field_modulus - 1, field_modulus, 1 << 400])
def test_numbers_are_mapped_to_points_alike(value: int) -> None:
    assert assert_alike(MAP_G1, element(value)).refused == (value >= field_modulus)
    assert assert_alike(MAP_G2, element(value) + element(1)).refused == (value >= field_modulus)


@ADDRESSES
def test_other_lengths_are_refused_alike(address: bytes) -> None:
    size = INPUT_SIZES[address]
    for length in (0, 1, size - 1, size + 1):
        assert assert_alike(address, bytes(length)).refused


@ADDRESSES
def test_call_data_that_makes_no_points_is_refused_alike(address: bytes) -> None:
    random, size = Random(address[-1]), INPUT_SIZES[address]
    for data in (bytes(size - 1) + b"\1", b"\1" + bytes(size - 1), b"\xff" * size, random.randbytes(size)):
        assert_alike(address, data)
    for _ in range(10):
        assert_alike(
            address, b"".join(element(random.choice((0, 1, field_modulus, random.getrandbits(380)))) for _ in range(size // 64 + 1))[:size]
        )
