"""The BLS12-381 precompiles of EIP-2537: py-evm's prices and refusals, with the curve by arkworks.

A field element is 64 bytes of call data, of which the library wants the last 48. The point at infinity is all zeros to both.
"""

from collections.abc import Callable, Mapping
from typing import Any

from eth.abc import ComputationAPI
from eth.exceptions import VMError
from eth.precompiles.bls12_381 import constants as prices
from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

ELEMENT, PACKED = 64, 48
G1, G2, SCALAR = 2 * ELEMENT, 4 * ELEMENT, 32  # bytes of call data
PAIRING_GAS, PAIRING_GAS_PER_PAIR = 37_700, 32_600

Precompile = Callable[[ComputationAPI], None]


def pairing_check(computation: ComputationAPI) -> None:
    pairs = _pieces(computation, G1 + G2)
    computation.consume_gas(PAIRING_GAS + PAIRING_GAS_PER_PAIR * len(pairs), reason="BLS12_PAIRING_CHECK")
    ones = [_point(G1Point, pair[:G1], in_subgroup=True) for pair in pairs]
    twos = [_point(G2Point, pair[G1:], in_subgroup=True) for pair in pairs]
    computation.output = int(GT.pairing_check(ones, twos)).to_bytes(32, "big")


def _addition(kind: Any, size: int, gas: int) -> Precompile:
    def add(computation: ComputationAPI) -> None:
        data = _exactly(computation, 2 * size)
        computation.consume_gas(gas, reason="BLS12 addition")
        left, right = (_point(kind, data[start : start + size], in_subgroup=False) for start in (0, size))
        computation.output = _unpacked(left + right)

    return add


def _multiplication(kind: Any, size: int, gas: int, discounts: list[int]) -> Precompile:
    """The sum of points times scalars: cheaper a pair, in thousandths, the more there are."""

    def multiply(computation: ComputationAPI) -> None:
        pairs = _pieces(computation, size + SCALAR)
        discount = discounts[min(len(pairs), len(discounts)) - 1]
        computation.consume_gas(len(pairs) * gas * discount // prices.MSM_MULTIPLIER, reason="BLS12 multiplication")
        points = [_point(kind, pair[:size], in_subgroup=True) for pair in pairs]
        scalars = [Scalar.from_be_bytes_mod_order(pair[size:]) for pair in pairs]
        computation.output = _unpacked(kind.multiexp_unchecked(points, scalars))

    return multiply


def _mapping(to_curve: Callable[[bytes], Any], size: int, gas: int) -> Precompile:
    def map_to_curve(computation: ComputationAPI) -> None:
        data = _exactly(computation, size)
        computation.consume_gas(gas, reason="BLS12 mapping")
        computation.output = _unpacked(_refusing(to_curve, _packed(data)))

    return map_to_curve


def _exactly(computation: ComputationAPI, size: int) -> bytes:
    data = computation.msg.data_as_bytes
    if len(data) != size:
        raise VMError(f"{len(data)} bytes of call data where {size} are due")
    return data


def _pieces(computation: ComputationAPI, size: int) -> list[bytes]:
    data = computation.msg.data_as_bytes
    if not data or len(data) % size:
        raise VMError(f"{len(data)} bytes of call data are no multiple of {size}")
    return [data[start : start + size] for start in range(0, len(data), size)]


def _point(kind: Any, data: bytes, *, in_subgroup: bool) -> Any:
    return _refusing(kind.from_xy_bytes_be if in_subgroup else kind.from_xy_bytes_unchecked_be, _packed(data))


def _refusing(read: Callable[[bytes], Any], data: bytes) -> Any:
    try:
        return read(data)
    except ValueError as error:  # no element of the field, not on the curve, not in the subgroup
        raise VMError(str(error)) from error


def _packed(data: bytes) -> bytes:
    elements = [data[start : start + ELEMENT] for start in range(0, len(data), ELEMENT)]
    if any(any(element[:-PACKED]) for element in elements):
        raise VMError("a number that is not in the field")
    return b"".join(element[-PACKED:] for element in elements)


def _unpacked(point: Any) -> bytes:
    packed = point.to_xy_bytes_be()
    return b"".join(packed[start : start + PACKED].rjust(ELEMENT, b"\0") for start in range(0, len(packed), PACKED))


BLS12_381_PRECOMPILES: Mapping[bytes, Precompile] = {
    number.to_bytes(20, "big"): precompile
    for number, precompile in {
        0x0B: _addition(G1Point, G1, prices.BLS12_G1_ADD_GAS),
        0x0C: _multiplication(G1Point, G1, prices.BLS12_G1_MSM_GAS, prices.G1_MSM_DISCOUNTS),
        0x0D: _addition(G2Point, G2, prices.BLS12_G2_ADD_GAS),
        0x0E: _multiplication(G2Point, G2, prices.BLS12_G2_MSM_GAS, prices.G2_MSM_DISCOUNTS),
        0x0F: pairing_check,
        0x10: _mapping(G1Point.map_from_fp_be, ELEMENT, prices.BLS12_MAP_FP_G1_GAS),
        0x11: _mapping(G2Point.map_from_fp2_be, 2 * ELEMENT, prices.BLS12_MAP_FP2_G2_GAS),
    }.items()
}
