"""What a fuzzer needs to know of a part: inputs to start from, words its inputs are made of, and the check of one input."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

Check = Callable[[bytes], None]  # raises whatever is wrong


@dataclass(frozen=True)
class Target:
    seeds: Callable[[], Sequence[bytes]]
    checking: Callable[[], AbstractContextManager[Check]]
    words: tuple[bytes, ...] = ()
