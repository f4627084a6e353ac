"""Waiting for a change of the database never misses one and never lasts longer than asked."""

from __future__ import annotations

import threading
from time import monotonic

from gateway.rounds.completion import Completions


def test_what_is_there_already_is_found_without_waiting() -> None:
    assert Completions().wait(lambda: "there", 0) == "there"


def test_what_never_comes_is_given_up_when_the_time_is_over() -> None:
    began = monotonic()
    assert Completions().wait(lambda: None, 0.05) is None
    assert 0.04 < monotonic() - began < 30


def test_a_change_between_the_look_and_the_wait_is_not_missed() -> None:
    completions = Completions()
    looks: list[int] = []

    def look() -> str | None:
        looks.append(1)
        if len(looks) == 1:
            completions.notify()
            return None
        return "there"

    assert completions.wait(look, 60) == "there"


def test_every_waiter_is_told() -> None:
    completions, facts = Completions(), threading.Event()
    found: list[str | None] = []

    def wait() -> None:
        found.append(completions.wait(lambda: "there" if facts.is_set() else None, 60))

    waiting = [threading.Thread(target=wait) for _ in range(3)]
    for thread in waiting:
        thread.start()
    facts.set()
    completions.notify()
    for thread in waiting:
        thread.join()
    assert found == ["there"] * 3
