"""No brand can hurt another: four honest brands sell beside an attacker, and it is as if it were not there.

Each attack has to be seen to get where it means to go. At soak the honest brands tell 25 sales a second each and are measured by the
bounds; else there are fewer, their times are bounded from far alone, and attacks are drawn from the table: seven, in the normal run one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

import httpx
import pytest

from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.depth import DEPTH, Depth, at_soak_alone, from_deep_on
from tests.gateway.hostile.attacks import (
    SOAK,
    Attack,
    Reached,
    asks_again_at_once,
    asks_for_little_often,
    asks_what_is_open,
    calls_without_end,
    drips_without_a_key,
    floods,
    sends_huge_heads,
    sends_nothings,
    signs_with,
    waits,
)
from tests.gateway.hostile.honest_brands import ATTACKER, HONEST, MOST_MB, AttackedGateway, attacked_gateway, start, stop
from tests.gateway.hostile.hostile_signer import drips, gzip_bomb, hangs, nested, never_ends, refuses

pytestmark = [pytest.mark.timeout(900)]
RATE, SECONDS = (25.0, 20.0) if SOAK else (3.0, from_deep_on(4.0, 2.0))
CONFIRMED_WITHIN = 60 if SOAK else 300  # of a machine that does much else
CONFIRMED_BESIDE_WITHIN = 20 if SOAK else 40
SEED = 119


@pytest.fixture(scope="module")
def coalition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path_factory.mktemp("attacked"), (ATTACKER, *HONEST), members=20, not_yet_seconds=600) as coalition:
        for member_id in coalition.member_keys:
            coalition.purchase(ATTACKER, member_id, gross_minor=1_000_000)
        coalition.work_off()
        yield coalition


ATTACKS: dict[str, Attack] = {
    "floods": floods,
    "asks for little, often": asks_for_little_often,
    "140 that wait": waits,
    "bodies of nothings": sends_nothings,
    "refused, asks again at once": asks_again_at_once,
    "drips without a key": drips_without_a_key,
    "huge headers and URLs": sends_huge_heads,
    "endless calls of the node": calls_without_end,
    "strangers ask what is open": asks_what_is_open,
    "a signer that hangs": signs_with(hangs),
    "a signer that drips": signs_with(drips),
    "a signer that never ends": signs_with(never_ends),
    "a signer that sends a bomb": signs_with(gzip_bomb()),
    "a signer of nested JSON": signs_with(nested()),
    "a signer with an index of 2^70": signs_with(refuses(str(2**70))),
    "a signer with an index of 1e999": signs_with(refuses("1e999")),
    "a signer with a lone surrogate": signs_with(refuses("0", '"\\ud800"')),
}
DRAWN = Random(SEED).sample(sorted(ATTACKS), 7)


def runs_at(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.deep] if name in DRAWN[1:] else [] if name in DRAWN else [pytest.mark.deep, at_soak_alone]


@pytest.mark.parametrize("name", [pytest.param(name, marks=runs_at(name)) for name in ATTACKS])
def test_honest_brands_sell_as_if_nobody_attacked(coalition: CoalitionBuilder, name: str) -> None:
    with attacked_gateway(coalition) as gateway:
        quiet = gateway.work(RATE, SECONDS)
        assert not quiet.failed
        with _under(ATTACKS[name], gateway) as reached:
            asked = gateway.confirmed()[1]
            beside = gateway.work(RATE, SECONDS)
            assert gateway.await_confirmed(asked + 1, CONFIRMED_BESIDE_WITHIN), "nothing that was told beside the attacker is on the ledger"
        assert gateway.await_confirmed(0.95 * gateway.confirmed()[1], CONFIRMED_WITHIN)
        assert reached, "the attack got nowhere"
        assert not beside.failed, beside.failed[:5]
        bound = max(2 * quiet.p99, 0.25) if SOAK else max(20 * quiet.p99, 10.0)
        assert beside.p99 <= bound, f"p99 {beside.p99 * 1000:.0f} ms beside the attacker, {quiet.p99 * 1000:.0f} ms without"
        assert gateway.memory_mb() < MOST_MB
        assert stop(gateway.process) < 40
        if DEPTH >= Depth.DEEP:
            process, _url = start(coalition)  # what the attacker left behind keeps nobody from starting again
            stop(process)
        done, asked = gateway.confirmed()
    times = f"p99 {beside.p99 * 1000:.0f} ms, quiet {quiet.p99 * 1000:.0f} ms"
    print(f"{name} ({len(reached)} times, {reached[-1]} at last): {times}, {done} of {asked} confirmed")


@contextmanager
def _under(attack: Attack, gateway: AttackedGateway) -> Iterator[Reached]:
    over, reached = threading.Event(), Reached()

    def run() -> None:
        with suppress(httpx.TransportError):
            attack(gateway, over, reached)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield reached
    finally:
        over.set()
        thread.join(60)
