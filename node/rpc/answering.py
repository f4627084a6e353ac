"""Requests answered on worker threads. One that only the next block can answer is asked again when that block comes.

Clients take a null receipt for "look again in some seconds", or hold it for known: here a block is tens of milliseconds away.
"""

import asyncio
import contextlib
from concurrent.futures import Executor

from node.chain.bell import Bell
from node.chain.budget import Budget
from node.rpc.dispatch import Dispatcher, Reply

PATIENCE_SECONDS = 1.0  # a transaction behind a gap in its nonces, or a long queue, is answered with null after this


class Answering:
    def __init__(self, dispatcher: Dispatcher, workers: Executor, new_head: Bell) -> None:
        self._dispatcher, self._workers, self._new_head = dispatcher, workers, new_head

    async def __call__(self, body: bytes) -> bytes:
        """If the wait for it is cancelled, as at the server's end, what is under way on a worker thread ends too."""
        loop, budget = asyncio.get_running_loop(), self._dispatcher.new_budget()
        try:
            reply, response = await loop.run_in_executor(self._workers, self._first, body, budget)
            if response is not None:
                return response
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._ask_again(reply, loop)
            return reply.body()
        finally:
            budget.end()

    def _first(self, body: bytes, budget: Budget) -> tuple[Reply, bytes | None]:
        """On a worker thread: a response may be megabytes of JSON."""
        reply = self._dispatcher.reply(body, budget)
        return reply, None if reply.not_yet else reply.body()

    async def _ask_again(self, reply: Reply, loop: asyncio.AbstractEventLoop) -> None:
        news = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the server's loop has ended
                loop.call_soon_threadsafe(news.set)

        self._new_head.listen(wake)
        try:
            while True:
                await loop.run_in_executor(self._workers, reply.ask)
                if not reply.not_yet:
                    return
                await news.wait()
                news.clear()
        finally:
            self._new_head.leave(wake)
