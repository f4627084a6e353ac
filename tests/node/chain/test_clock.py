"""Which timestamp the next block gets."""

import pytest

from node.chain.clock import ChainClock, clock_at_genesis, decode, encode
from node.chain.errors import BadTimestamp, ClockBehind

WALL = ChainClock(sandbox=False)
SANDBOX = ChainClock(sandbox=True)


def test_a_block_takes_the_wall_clocks_second() -> None:
    assert WALL.timestamp_after(100, 105.9) == (105, WALL)


def test_many_blocks_may_share_a_second() -> None:
    assert WALL.timestamp_after(105, 105.2)[0] == 105


def test_a_block_never_passes_the_wall_clock() -> None:
    with pytest.raises(ClockBehind) as refused:
        WALL.timestamp_after(105, 103.9)
    assert refused.value.seconds == 2


def test_a_sandbox_starts_at_its_genesis_time_and_runs_on() -> None:
    clock = clock_at_genesis(True, 1_000, 50_000.5)
    assert clock.timestamp_after(1_000, 50_000.9)[0] == 1_000
    assert clock.timestamp_after(1_000, 50_060.0)[0] == 1_060


def test_a_chain_that_is_no_sandbox_ignores_its_genesis_time() -> None:
    assert clock_at_genesis(False, 1_000, 50_000).timestamp_after(1_000, 50_000)[0] == 50_000


def test_a_set_time_is_exact_once_and_runs_on_from_there() -> None:
    timestamp, clock = SANDBOX.set_next(9_000, 100).timestamp_after(100, 500.0)
    assert timestamp == 9_000
    assert clock.timestamp_after(9_000, 507.0) == (9_007, clock)


def test_a_set_time_may_equal_the_heads_but_not_lie_before_it() -> None:
    assert SANDBOX.set_next(100, 100).timestamp_after(100, 5.0)[0] == 100
    with pytest.raises(BadTimestamp):
        SANDBOX.set_next(99, 100)


def test_increased_time_adds_to_the_offset() -> None:
    clock = SANDBOX.increase(60).increase(40)
    assert clock.timestamp_after(0, 1_000.0)[0] == 1_100
    with pytest.raises(BadTimestamp):
        clock.increase(-1)


def test_sandbox_time_never_goes_below_the_heads() -> None:
    timestamp, clock = SANDBOX.timestamp_after(2_000, 1_000.0)
    assert timestamp == 2_000
    assert clock.timestamp_after(2_000, 1_010.0)[0] == 2_010


def test_the_clock_survives_being_stored() -> None:
    for clock in (SANDBOX, SANDBOX.increase(5), SANDBOX.set_next(7, 7)):
        assert decode(encode(clock), sandbox=True) == clock
