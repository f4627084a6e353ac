"""What waits at the same time is done in one go, in nobody's stead but one's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.store.together import Together, TogetherSoon, Unfinished


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


class Ended(BaseException):
    """Of the process, as KeyboardInterrupt is."""


def test_where_who_works_is_ended_the_others_are_told() -> None:
    all_wait, may_end = threading.Event(), threading.Event()

    def end(items: Sequence[int]) -> list[int | Exception]:
        if len(items) == 1:
            all_wait.set()
            assert may_end.wait(10)
            return [items[0]]
        raise Ended

    together = Together(end)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(together.do, 0)
        assert all_wait.wait(10)
        rest = [threads.submit(together.do, item) for item in range(1, 4)]
        while len(together._waiting) < 3:
            pass
        may_end.set()
        assert first.result(10) == 0
        found = sorted(type(each.exception(10)).__name__ for each in rest)
    assert found == ["Ended", "Unfinished", "Unfinished"]


@pytest.mark.parametrize("count", [0, 2, 4])
def test_a_wrong_number_of_outcomes_is_everybodys_error(count: int) -> None:
    together: Together[int, int] = Together(lambda items: [1] * count)
    with pytest.raises(ValueError, match=f"{count} outcomes for 1 items"):
        together.do(1)
    assert [str(each) for each in all_soon(lambda items: [1] * count, 3)] == [f"{count} outcomes for 3 items"] * 3


def all_soon(do_all: Callable[[Sequence[int]], Sequence[int | Exception]], count: int) -> list[int | BaseException]:
    """What 0, 1, 2 … come to, within seconds."""

    async def ask() -> list[int | BaseException]:
        soon = TogetherSoon(do_all)
        async with asyncio.timeout(5):
            return await asyncio.gather(*(soon.do(item) for item in range(count)), return_exceptions=True)

    return asyncio.run(ask())


def test_each_coroutine_has_its_own_outcome_however_odd() -> None:
    found = all_soon(lambda items: [StopIteration(1), ValueError("one"), 2], 3)
    assert [repr(each) for each in found] == ["RuntimeError('StopIteration(1)')", "ValueError('one')", "2"]

    def stop(items: Sequence[int]) -> list[int | Exception]:
        raise StopIteration

    assert [type(each) for each in all_soon(stop, 2)] == [RuntimeError] * 2


def test_an_answer_that_cannot_be_given_leaves_nobody_waiting() -> None:
    """Those behind it, and those of the next go, are told; then others are served again."""

    async def ask() -> None:
        soon: TogetherSoon[int, int] = TogetherSoon(lambda items: list(items))
        given = [asyncio.ensure_future(soon.do(item)) for item in range(300)]
        await asyncio.sleep(0)
        assert soon._working is not None
        working, damaged = soon._working, soon._waiting[1][1]
        damaged.set_result = damaged.done  # type: ignore[method-assign]  # takes no argument: raises
        async with asyncio.timeout(5):
            found = await asyncio.gather(*given, return_exceptions=True)
            assert await soon.do(7) == 7
        assert found[0] == 0
        assert {type(each) for each in found[1:]} == {Unfinished}
        assert isinstance(working.exception(), TypeError)

    asyncio.run(ask())


def test_where_the_work_of_coroutines_is_cancelled_all_are_told() -> None:
    may_end = threading.Event()

    def wait(items: Sequence[int]) -> list[int | Exception]:
        assert may_end.wait(10)
        return list(items)

    async def ask() -> None:
        soon = TogetherSoon(wait)
        given = [asyncio.ensure_future(soon.do(item)) for item in range(300)]
        await asyncio.sleep(0.05)
        assert soon._working is not None
        soon._working.cancel()
        ended, waiting = await asyncio.wait(given, timeout=5)
        may_end.set()
        assert not waiting
        assert {type(each.exception()) for each in ended} == {Unfinished}

    asyncio.run(ask())
