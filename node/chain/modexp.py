"""MODEXP (EIP-198) as py-evm has it, but for one case that it misses: an absent base to the power of 0 is 1, not 0."""

from eth.abc import ComputationAPI
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES

MODEXP_ADDRESS = (5).to_bytes(20, "big")
_py_evms = PRAGUE_PRECOMPILES[MODEXP_ADDRESS]


def modexp(computation: ComputationAPI) -> None:
    _py_evms(computation)
    data = computation.msg.data_as_bytes.ljust(96, b"\0")
    base_length, exponent_length, modulus_length = (int.from_bytes(data[start : start + 32], "big") for start in (0, 32, 64))
    if base_length or not modulus_length or any(data[96 : 96 + exponent_length]):
        return
    modulus = int.from_bytes(data[96 + exponent_length :][:modulus_length].ljust(modulus_length, b"\0"), "big")
    computation.output = (1 % modulus if modulus else 0).to_bytes(modulus_length, "big")
