"""Two lanes, so that no call of code holds up a send, a receipt or a read: what is prompt, and what may take long."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

from node.chain.budget import Budget
from node.chain.errors import TooBusy
from node.rpc.turns import Turns
from node.rpc.workers import Workers

PROMPT_THREADS = 4
LONG_THREADS = 16  # requests that take turns; each may gather an answer of megabytes
LONG_MAX = 64  # at work or waiting for a thread

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Lanes:
    """Those of one server, for all its connections."""

    def __init__(self) -> None:
        self.prompt: Executor = Workers(PROMPT_THREADS, "prompt")
        self._long = Workers(LONG_THREADS, "long")
        self._turns = Turns()
        self._places = threading.Semaphore(LONG_MAX)

    async def promptly(self, work: Callable[Arguments, Result], *args: Arguments.args, **_: Arguments.kwargs) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.prompt, work, *args)

    async def by_turns(self, work: Callable[[], Result], budget: Budget) -> Result:
        """Where there is no place, the budget refuses all that is left to do."""
        if not self._places.acquire(blocking=False):
            budget.refuse(TooBusy(f"too many long requests at once (at most {LONG_MAX}): try again in some seconds"))
            return await self.promptly(work)
        done = self._long.submit(self._turns.run, work, budget)
        done.add_done_callback(lambda _: self._places.release())  # not when nobody waits any more: the thread may still be at it
        return await asyncio.wrap_future(done)
