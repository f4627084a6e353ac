"""Calls that run too long are ended, whatever runs them: py-evm's loop, compiled code, or one message after another."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from eth_typing import Address

from node.app import open_chain
from node.chain.errors import ExecutionFailed, OutOfTime
from node.chain.execution import Call, Scene, call, estimate_gas
from node.chain.overrides import AccountOverride
from node.chain.time_limit import time_limit
from node.config import DataDirectory
from tests.node.compiler.states import by_py_evm, compiled
from tests.node.state_tests.variants import Variant

CONTRACT = Address(b"\xc0" * 20)
ENDLESS_LOOP = "5b5f56"  # JUMPDEST PUSH0 JUMP
CALLS_ITSELF_AGAIN_AND_AGAIN = "5b5f5f5f5f5f305af1505f56"
ANSWERS = "602a5f5260205ff3"
SECONDS = 0.005


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory = DataDirectory(tmp_path_factory.mktemp("time limit") / "data")
    directory.initialize(chain_id=20_261, sandbox=False, operators=(), timestamp=1_771_200_000)
    with open_chain(directory) as history:
        yield Scene(history, history.head)


@pytest.mark.parametrize("way", [by_py_evm, compiled])
@pytest.mark.parametrize("code", [ENDLESS_LOOP, CALLS_ITSELF_AGAIN_AND_AGAIN])
@pytest.mark.parametrize("request_", [call, estimate_gas])
def test_code_that_runs_too_long_is_ended(scene: Scene, way: Variant, code: str, request_: Callable[[Scene, Call], object]) -> None:
    limited = replace(_with(scene, code), state_class=way(scene.state_class), pulse=time_limit(SECONDS))
    started = time.monotonic()
    with pytest.raises(OutOfTime, match=r"execution aborted \(timeout = 0.005s\)"):
        request_(limited, Call(to=CONTRACT))
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("way", [by_py_evm, compiled])
def test_code_that_ends_in_time_answers_as_without_a_limit(scene: Scene, way: Variant) -> None:
    unlimited = replace(_with(scene, ANSWERS), state_class=way(scene.state_class))
    limited = replace(unlimited, pulse=time_limit())
    assert call(limited, Call(to=CONTRACT)) == call(unlimited, Call(to=CONTRACT)) == (42).to_bytes(32)
    assert estimate_gas(limited, Call(to=CONTRACT)) == estimate_gas(unlimited, Call(to=CONTRACT))


def test_without_a_limit_gas_ends_it(scene: Scene) -> None:
    with pytest.raises(ExecutionFailed, match="out of gas"):
        call(_with(scene, ENDLESS_LOOP), Call(to=CONTRACT, gas=200_000))


def _with(scene: Scene, code: str) -> Scene:
    return replace(scene, overrides={CONTRACT: AccountOverride(code=bytes.fromhex(code))})
