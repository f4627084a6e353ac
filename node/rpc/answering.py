"""Requests answered on worker threads: promptly up to the first that may take long, the rest by turns with others of that kind.

One that only the next block can answer is asked again when that block comes. Clients take a null receipt for "look again in some
seconds", or hold it for known: here a block is tens of milliseconds away.
"""

import asyncio
import contextlib
import time

from node.chain.bell import Bell
from node.chain.budget import Budget
from node.rpc.dispatch import Dispatcher, Reply
from node.rpc.lanes import Lanes

PATIENCE_SECONDS = 1.0  # a transaction behind a gap in its nonces, or a long queue, is answered with null after this
PROMPT_SECONDS = 0.1  # what is left of a batch then goes on by turns


class Answering:
    def __init__(self, dispatcher: Dispatcher, lanes: Lanes, new_head: Bell) -> None:
        self._dispatcher, self._lanes, self._new_head = dispatcher, lanes, new_head

    async def __call__(self, body: bytes) -> bytes:
        """If the wait for it is cancelled, as at the server's end, what is under way on a worker thread ends too."""
        budget = self._dispatcher.new_budget()
        try:
            reply, response = await self._lanes.promptly(self._begin, body, budget)
            if reply.is_unasked:
                response = await self._lanes.by_turns(lambda: self._go_on(reply), budget)
            if response is not None:
                return response
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._ask_again(reply)
            return reply.body()
        finally:
            budget.end()

    def _begin(self, body: bytes, budget: Budget) -> tuple[Reply, bytes | None]:
        """On a worker thread: a response may be megabytes of JSON."""
        reply, until = self._dispatcher.reply(body, budget), time.monotonic() + PROMPT_SECONDS
        reply.ask(lambda request: time.monotonic() < until and not self._dispatcher.may_take_long(request))
        return reply, _if_complete(reply)

    def _go_on(self, reply: Reply) -> bytes | None:
        reply.ask()
        return _if_complete(reply)

    async def _ask_again(self, reply: Reply) -> None:
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the server's loop has ended
                loop.call_soon_threadsafe(news.set)

        self._new_head.listen(wake)
        try:
            while True:
                await self._lanes.promptly(reply.ask_again)
                if not reply.is_not_yet:
                    return
                await news.wait()
                news.clear()
        finally:
            self._new_head.leave(wake)


def _if_complete(reply: Reply) -> bytes | None:
    return None if reply.is_unasked or reply.is_not_yet else reply.body()
