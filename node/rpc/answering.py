"""Requests answered on worker threads. One that only the next block can answer is asked again when that block comes.

Clients take a null receipt for "look again in some seconds", or hold it for known: here a block is tens of milliseconds away.
"""

import asyncio
import contextlib
from concurrent.futures import Executor

from node.chain.bell import Bell
from node.rpc.dispatch import Dispatcher

PATIENCE_SECONDS = 1.0  # a transaction behind a gap in its nonces, or a long queue, is answered with null after this


class Answering:
    def __init__(self, dispatcher: Dispatcher, workers: Executor, new_head: Bell) -> None:
        self._dispatcher, self._workers, self._new_head = dispatcher, workers, new_head

    async def __call__(self, body: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        attempt = await loop.run_in_executor(self._workers, self._dispatcher.attempt, body)
        if attempt.not_yet:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return await self._after_a_block(body, loop)
        return attempt.response

    async def _after_a_block(self, body: bytes, loop: asyncio.AbstractEventLoop) -> bytes:
        news = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the server's loop has ended
                loop.call_soon_threadsafe(news.set)

        self._new_head.listen(wake)
        try:
            while True:
                attempt = await loop.run_in_executor(self._workers, self._dispatcher.attempt, body)
                if not attempt.not_yet:
                    return attempt.response
                await news.wait()
                news.clear()
        finally:
            self._new_head.leave(wake)
