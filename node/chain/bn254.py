"""On alt_bn128, ECMUL (EIP-196): py-evm's price and refusals, in plain whole numbers and a fraction of its time; and ECPAIRING
(EIP-197) by py-evm's own steps, with a pulse before each pair: one is a tenth of a second's work, and a call may have thousands.

A point is Jacobian: (x, y, z) stands for (x / z², y / z³), and z = 0 for infinity. The curve is y² = x³ + 3.
"""

from collections.abc import Callable, Mapping

from eth.abc import ComputationAPI
from eth.exceptions import VMError
from eth.precompiles.ecpairing import EXPONENT as ONE
from eth.precompiles.ecpairing import _process_point as times_pairing_of
from eth.precompiles.ecpairing import bn128  # type: ignore[attr-defined]
from eth.vm.forks.istanbul.constants import GAS_ECMUL, GAS_ECPAIRING_BASE, GAS_ECPAIRING_PER_POINT
from eth_utils.exceptions import ValidationError

from node.chain.time_limit import pulse_of

FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583
WINDOW_BITS = 4  # of the scalar at a time
PAIR = 192  # bytes of call data

Point = tuple[int, int, int]
INFINITY: Point = (1, 1, 0)


def ecmul(computation: ComputationAPI) -> None:
    computation.consume_gas(GAS_ECMUL, reason="ECMUL Precompile")
    data = computation.msg.data_as_bytes[:96].ljust(96, b"\0")
    x, y, scalar = (int.from_bytes(data[start : start + 32], "big") for start in (0, 32, 64))
    computation.output = _to_bytes(multiply(point_at(x, y), scalar))


def ecpairing(computation: ComputationAPI) -> None:
    data, pulse = computation.msg.data_as_bytes, pulse_of(computation)
    if len(data) % PAIR:
        raise VMError(f"{len(data)} bytes of call data are no multiple of {PAIR}")
    computation.consume_gas(GAS_ECPAIRING_BASE + GAS_ECPAIRING_PER_POINT * (len(data) // PAIR), reason="ECPAIRING Precompile")
    product = ONE
    for start in range(0, len(data), PAIR):
        pulse()
        try:
            product = times_pairing_of(data[start : start + PAIR], product)
        except ValidationError as error:
            raise VMError(str(error)) from error
    is_one = bn128.final_exponentiate(product) == ONE  # type: ignore[attr-defined]
    computation.output = int(is_one).to_bytes(32, "big")


def point_at(x: int, y: int) -> Point:
    if x >= FIELD or y >= FIELD:
        raise VMError("a number that is not in the field")
    if x == y == 0:
        return INFINITY
    if (y * y - x * x * x - 3) % FIELD:
        raise VMError("a point that is not on the curve")
    return x, y, 1


def multiply(point: Point, scalar: int) -> Point:
    multiples = [INFINITY, point]
    for _ in range((1 << WINDOW_BITS) - 2):
        multiples.append(add(multiples[-1], point))
    result = INFINITY
    for shift in range(256 - WINDOW_BITS, -1, -WINDOW_BITS):
        for _ in range(WINDOW_BITS):
            result = double(result)
        result = add(result, multiples[scalar >> shift & (1 << WINDOW_BITS) - 1])
    return result


def double(point: Point) -> Point:
    x, y, z = point
    if not z:
        return point
    squared = y * y % FIELD
    s = 4 * x * squared % FIELD
    m = 3 * x * x % FIELD
    doubled_x = (m * m - 2 * s) % FIELD
    return doubled_x, (m * (s - doubled_x) - 8 * squared * squared) % FIELD, 2 * y * z % FIELD


def add(left: Point, right: Point) -> Point:
    x1, y1, z1 = left
    x2, y2, z2 = right
    if not z1:
        return right
    if not z2:
        return left
    z1_squared, z2_squared = z1 * z1 % FIELD, z2 * z2 % FIELD
    u, s = x1 * z2_squared % FIELD, y1 * z2 * z2_squared % FIELD
    h, r = (x2 * z1_squared - u) % FIELD, (y2 * z1 * z1_squared - s) % FIELD
    if not h:
        return INFINITY if r else double(left)
    h_squared = h * h % FIELD
    h_cubed, v = h * h_squared % FIELD, u * h_squared % FIELD
    x = (r * r - h_cubed - 2 * v) % FIELD
    return x, (r * (v - x) - s * h_cubed) % FIELD, h * z1 * z2 % FIELD


def _to_bytes(point: Point) -> bytes:
    x, y, z = point
    if not z:
        return bytes(64)
    inverse = pow(z, -1, FIELD)
    squared = inverse * inverse % FIELD
    return (x * squared % FIELD).to_bytes(32, "big") + (y * squared * inverse % FIELD).to_bytes(32, "big")


BN254_PRECOMPILES: Mapping[bytes, Callable[[ComputationAPI], None]] = {
    (7).to_bytes(20, "big"): ecmul,
    (8).to_bytes(20, "big"): ecpairing,
}
