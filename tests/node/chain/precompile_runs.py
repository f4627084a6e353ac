"""One precompile run by itself, for comparing it with py-evm's own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from eth.exceptions import VMError
from eth.vm.forks.prague.computation import PRAGUE_PRECOMPILES

from node.chain.rules import NodeComputation


@dataclass
class Ran:
    """Stands for the computation that a precompile is given."""

    msg: Any
    gas: int = 0
    output: bytes | None = None
    refused: bool = False
    state: Any = field(default_factory=lambda: SimpleNamespace(pulse=None), compare=False)

    def consume_gas(self, amount: int, reason: str) -> None:
        self.gas += amount


def assert_alike(address: bytes, data: bytes) -> Ran:
    expected = ran(PRAGUE_PRECOMPILES[address], data)
    assert ran(NodeComputation.get_precompiles()[address], data) == expected, data.hex()
    return expected


def heard_of(address: bytes, data: bytes) -> int:
    """How many pulses the node's own gives while it runs."""
    pulses: list[None] = []
    ran(NodeComputation.get_precompiles()[address], data, pulse=lambda: pulses.append(None))
    return len(pulses)


def ran(precompile: Any, data: bytes, pulse: Callable[[], None] | None = None) -> Ran:
    result = Ran(SimpleNamespace(data=data, data_as_bytes=data), state=SimpleNamespace(pulse=pulse))
    try:
        precompile(result)
    except VMError:
        result.refused = True
    return result
