"""Coroutines that ask at the same time share a look, and who goes away disturbs nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from gateway.store.read_together import ShownTogether
from gateway.store.unit_of_work import UnitOfWork

WORK: Any = object()


def test_all_who_ask_while_one_look_is_under_way_share_the_next() -> None:
    looks: list[list[int]] = []
    first_is_at_work, may_go_on = threading.Event(), threading.Event()

    def doubles(_work: UnitOfWork, numbers: Sequence[int]) -> dict[int, int]:
        looks.append(list(numbers))
        if len(looks) == 1:
            first_is_at_work.set()
            assert may_go_on.wait(10)
        return {number: 2 * number for number in numbers if number != 13}

    async def ask() -> list[int | None]:
        shown = ShownTogether(lambda: nullcontext(WORK))
        first = asyncio.create_task(shown.find_soon(doubles, 0))
        await asyncio.to_thread(first_is_at_work.wait, 10)
        rest = [asyncio.create_task(shown.find_soon(doubles, number)) for number in (1, 2, 2, 13)]
        gone = asyncio.create_task(shown.find_soon(doubles, 5))
        await asyncio.sleep(0)
        gone.cancel()
        may_go_on.set()
        return [await first, *[await each for each in rest]]

    assert asyncio.run(ask()) == [0, 2, 4, 4, None]
    assert looks == [[0], [1, 2, 13, 5]]


def test_what_goes_wrong_is_told_to_all_of_that_look_and_the_next_one_is_another() -> None:
    def halves(_work: UnitOfWork, numbers: Sequence[int]) -> dict[int, int]:
        if 13 in numbers:
            raise LookupError("thirteen")
        return {number: number // 2 for number in numbers}

    async def ask() -> None:
        shown = ShownTogether(lambda: nullcontext(WORK))
        for outcome in await asyncio.gather(*(shown.find_soon(halves, number) for number in (8, 13)), return_exceptions=True):
            assert isinstance(outcome, LookupError)
        assert await shown.find_soon(halves, 8) == 4

    asyncio.run(asyncio.wait_for(ask(), 10))
