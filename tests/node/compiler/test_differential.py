"""Random programs give the same outcome compiled and by py-evm's own loop, wherever a routine is cut and wherever gas ends."""

from random import Random

import pytest

from node.chain.compiler import translation
from tests.depth import from_deep_on, in_a_soak
from tests.node.compiler.differential import assert_same
from tests.node.compiler.random_programs import random_program

pytestmark = pytest.mark.filterwarnings("ignore:SELFDESTRUCT opcode:DeprecationWarning")  # py-evm says so at every one
PROGRAMS_PER_SEED = 150
GAS_LIMITS_MAX = 400


def run_random_programs(seed: int, count: int) -> None:
    random = Random(seed)
    for _ in range(count):
        gas = random.choice((200, 2_000, 5_000, 30_000, 60_000))
        assert_same(random_program(random), gas=gas, is_static=random.random() < 0.15, other=random_program(random))


@pytest.mark.parametrize("seed", range(3))
def test_random_programs_end_alike(seed: int) -> None:
    run_random_programs(seed, PROGRAMS_PER_SEED)


@pytest.mark.parametrize(("operations", "visits", "items"), [(1, 1, 64), (3, 1, 2), (10, 4, 5)])
def test_random_programs_end_alike_however_short_the_routines_are(
    operations: int, visits: int, items: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translation, "OPERATIONS_MAX", operations)
    monkeypatch.setattr(translation, "VISITS_MAX", visits)
    monkeypatch.setattr(translation, "STACK_ITEMS_MAX", items)
    run_random_programs(1_000 + operations, PROGRAMS_PER_SEED)


@pytest.mark.parametrize("seed", range(from_deep_on(5, 2)))
def test_a_program_ends_alike_at_every_gas_limit(seed: int) -> None:
    random = Random(2_000 + seed)
    body = random_program(random)
    at_most = assert_same(body, gas=GAS_LIMITS_MAX)
    for gas in range(GAS_LIMITS_MAX - at_most.gas_left + 1):
        assert_same(body, gas=gas)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(10_000, in_a_soak(10_040, 10_006)))
def test_many_more_random_programs_end_alike(seed: int) -> None:
    run_random_programs(seed, 500)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(20_000, in_a_soak(20_100, 20_020)))
def test_many_more_programs_end_alike_at_every_gas_limit(seed: int) -> None:
    random = Random(seed)
    body = random_program(random)
    at_most = assert_same(body, gas=4 * GAS_LIMITS_MAX)
    for gas in range(4 * GAS_LIMITS_MAX - at_most.gas_left + 1):
        assert_same(body, gas=gas)
