"""Turns: one at a time, in the order of asking; and who gets none in time is ended by its budget."""

import threading
import time

import pytest

from node.chain.budget import Budget, RequestTimedOut
from node.rpc import turns
from node.rpc.turns import Turns

WORKERS = 5


def test_one_runs_at_a_time_and_none_has_two_turns_before_another_has_one() -> None:
    shared, order, at_work, all_there = Turns(), list[int](), list[int](), threading.Barrier(WORKERS)

    def work(number: int, budget: Budget) -> None:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            at_work.append(number)
            time.sleep(0.001)  # lets the others at the interpreter
            assert at_work.pop() == number
            assert not at_work
            if order[-1:] != [number]:
                order.append(number)
            budget.pulse()

    def run(number: int) -> None:
        budget = Budget()
        all_there.wait()
        shared.run(lambda: work(number, budget), budget)
        ended.append(number)

    ended: list[int] = []
    _at_once(run)
    assert sorted(ended) == list(range(WORKERS))
    rounds = order[WORKERS : 5 * WORKERS]
    assert all(len(set(rounds[start : start + WORKERS])) == WORKERS for start in range(len(rounds) - WORKERS + 1)), order


def test_who_waits_behind_one_that_gives_no_pulse_ends_with_its_time_and_keeps_nobodys_turn() -> None:
    shared, begun, over = Turns(), threading.Event(), threading.Event()

    def never_gives_way() -> None:
        begun.set()
        over.wait()

    stuck = threading.Thread(target=lambda: shared.run(never_gives_way, Budget()))
    stuck.start()
    begun.wait()
    late = Budget(seconds=0.1)
    with pytest.raises(RequestTimedOut):
        shared.run(late.check, late)
    assert not shared.wanted
    over.set()
    stuck.join()
    budget = Budget()
    assert shared.run(lambda: "its turn came", budget) == "its turn came"


def test_after_one_that_was_not_heard_of_for_long_nothing_runs_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "KEPT_SECONDS", 0.05)
    shared, budget = Turns(), Budget()
    started = time.monotonic()
    shared.run(lambda: None, budget)
    assert time.monotonic() - started < turns.REST_SECONDS
    started = time.monotonic()
    shared.run(lambda: time.sleep(0.1), budget)
    assert time.monotonic() - started >= 0.1 + turns.REST_SECONDS


def _at_once(run: object) -> None:
    threads = [threading.Thread(target=run, args=(number,)) for number in range(WORKERS)]  # type: ignore[arg-type]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
