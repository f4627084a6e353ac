"""Who seals, as the node said it last. Anybody may ask for it: the node is asked beside the requests, by one question at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic

from gateway.values.errors import Unavailable
from gateway.values.ids import Address

_LOG = logging.getLogger(__name__)
ASKED_AGAIN_SECONDS = 1.0
FIRST_WORD_SECONDS = 2.0


class KnownSealer:
    """For coroutines. `ask` asks the node, and may raise Unavailable."""

    def __init__(self, ask: Callable[[], Address | None]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._question: Future[None] = Future()
        self._question.set_result(None)
        self._is_known = False
        self._told: Address | None = None

    async def now(self) -> Address | None:
        """None where nothing seals, and before the node has said who: only then its answer is waited for, for a moment."""
        with self._lock:
            if self._question.done() and monotonic() - self._asked_at > ASKED_AGAIN_SECONDS:
                self._question, self._asked_at = Future(), monotonic()
                threading.Thread(target=self._answer, args=(self._question,), name="sealer", daemon=True).start()
            question, patience = self._question, self._asked_at + FIRST_WORD_SECONDS - monotonic()
        if not self._is_known and not question.done() and patience > 0:
            await asyncio.wait([asyncio.wrap_future(question)], timeout=patience)
        return self._told

    def _answer(self, question: Future[None]) -> None:
        try:
            self._told = self._ask()
            self._is_known = True
        except Unavailable:
            pass  # what it said last stands
        except Exception:  # of a node that answers nonsense: the same holds
            _LOG.exception("the node does not say who seals")
        finally:
            question.set_result(None)
