"""What waits at the same time is done in one go, in nobody's stead but one's own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.store.together import Together


def test_what_waits_while_one_works_is_done_in_one_go() -> None:
    goes: list[list[int]] = []
    first_is_at_work, may_go_on = threading.Event(), threading.Event()

    def double(items: Sequence[int]) -> list[int | Exception]:
        goes.append(list(items))
        if len(goes) == 1:
            first_is_at_work.set()
            assert may_go_on.wait(10)
        return [2 * item for item in items]

    together = Together(double)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(together.do, 0)
        assert first_is_at_work.wait(10)
        rest = [threads.submit(together.do, item) for item in range(1, 8)]
        while len(together._waiting) < 7:
            pass
        may_go_on.set()
        assert [first.result(10), *(each.result(10) for each in rest)] == [0, 2, 4, 6, 8, 10, 12, 14]
    assert [len(go) for go in goes] == [1, 7]


def test_each_has_its_own_outcome_and_what_all_share_is_raised_to_all() -> None:
    def halve(items: Sequence[int]) -> list[int | Exception]:
        if 13 in items:
            raise LookupError("thirteen")
        return [ValueError(f"{item} is odd") if item % 2 else item // 2 for item in items]

    together = Together(halve)
    assert together.do(8) == 4
    with pytest.raises(ValueError, match="5 is odd"):
        together.do(5)
    with pytest.raises(LookupError, match="thirteen"):
        together.do(13)
    assert together.do(2) == 1


def test_many_threads_lose_and_mix_up_nothing() -> None:
    together = Together(lambda items: [str(item) for item in items])
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(together.do, range(2_000))) == [str(item) for item in range(2_000)]
