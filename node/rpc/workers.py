"""Threads that answer requests. They are daemons: what cannot be interrupted, a single Blake2, does not outlive the node."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Workers(Executor):
    """As concurrent.futures' own pool, whose threads the interpreter waits for at its end, however long they take."""

    def __init__(self, count: int, name: str) -> None:
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        for number in range(count):
            threading.Thread(target=self._run, name=f"{name} {number}", daemon=True).start()

    def submit(self, fn: Callable[Arguments, Result], /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Future[Result]:
        done: Future[Result] = Future()

        def carry_out() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(fn(*args, **kwargs))
            except BaseException as error:  # handed to the caller, who waits for it
                done.set_exception(error)

        self._work.put(carry_out)
        return done

    def _run(self) -> None:
        while True:
            work = self._work.get()
            work()
            del work  # or it would keep its answer until the next request
