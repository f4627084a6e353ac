"""A thread whose stack holds the EVM's deepest chain of calls. The main thread's is as large as the shell that started it allows."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import wraps
from typing import ParamSpec, TypeVar

STACK_BYTES = 256 * 1024 * 1024  # address space; only what is used costs memory

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def on_deep_stack(work: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function in a thread of its own, waited for. An interrupt ends the wait and, with the process, the thread."""

    @wraps(work)
    def waited_for(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        done: Future[Result] = Future()

        def run() -> None:
            try:
                done.set_result(work(*args, **kwargs))
            except BaseException as error:  # handed to the caller, who waits for it
                done.set_exception(error)

        before = threading.stack_size(STACK_BYTES)
        try:
            threading.Thread(target=run, name=work.__name__, daemon=True).start()
        finally:
            threading.stack_size(before)
        return done.result()

    return waited_for
