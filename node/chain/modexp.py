"""MODEXP as EIP-198 defines it, at EIP-2565's price: 0 to the power of 0 is 1 also where the base is absent, which py-evm misses.

`pow` keeps the interpreter to itself until it is done, seconds for a long exponent: here it is done a piece at a time.
"""

from collections.abc import Callable, Iterable

from eth.abc import ComputationAPI
from eth.precompiles.modexp import extract_lengths
from eth.vm.forks.berlin.computation import _compute_modexp_gas_fee_eip_2565 as gas_of

from node.chain.time_limit import pulse_of

MODEXP_ADDRESS = (5).to_bytes(20, "big")
SHORT_EXPONENT, SHORT_MODULUS = 32, 512  # bytes: together less than a millisecond's work
DIGITS_A_PULSE = 256


def modexp(computation: ComputationAPI) -> None:
    data = computation.msg.data_as_bytes
    computation.consume_gas(gas_of(data), reason="MODEXP Precompile")
    base_length, exponent_length, modulus_length = extract_lengths(data)
    if not modulus_length:
        computation.output = b""
        return
    exponent_at = 96 + base_length
    base = int.from_bytes(_piece(data, 96, base_length), "big")
    exponent = _piece(data, exponent_at, exponent_length)
    modulus = int.from_bytes(_piece(data, exponent_at + exponent_length, modulus_length), "big")
    result = power(base, exponent, modulus, pulse_of(computation)) if modulus else 0
    computation.output = result.to_bytes(modulus_length, "big")


def power(base: int, exponent: bytes, modulus: int, pulse: Callable[[], None]) -> int:
    """Of a modulus that is not 0. The exponent's digits are bytes, or bits where one step with the modulus takes long enough."""
    is_short = modulus.bit_length() <= 8 * SHORT_MODULUS
    if is_short and len(exponent) <= SHORT_EXPONENT:
        return pow(base, int.from_bytes(exponent, "big"), modulus)
    base %= modulus
    bits, digits, digits_a_pulse = (8, exponent, DIGITS_A_PULSE) if is_short else (1, _bits(exponent), 1)
    powers = [1 % modulus]
    while len(powers) < 1 << bits:
        powers.append(powers[-1] * base % modulus)
    result = powers[0]
    for count, digit in enumerate(digits):
        if count % digits_a_pulse == 0:
            pulse()
        result = pow(result, 1 << bits, modulus)
        if digit:
            result = result * powers[digit] % modulus
    return result


def _bits(exponent: bytes) -> Iterable[int]:
    """Without the zeros before the first one."""
    return map(int, f"{int.from_bytes(exponent, 'big'):b}")


def _piece(data: bytes, start: int, length: int) -> bytes:
    return data[start : start + length].ljust(length, b"\0")
