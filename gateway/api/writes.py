"""Writes that wait at the same time share one unit of work: one begin, one commit, and what many of a sort look up is read at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from gateway.access.once import once
from gateway.access.rows import SqlRequests
from gateway.store.together import Together, TogetherSoon
from gateway.store.unit_of_work import UnitOfWork
from gateway.values.errors import Refusal, Unavailable
from gateway.values.ids import Hash

Written = tuple[str, bool]
"""(the resource's id, whether it is shown again)"""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a write of this brand will look up; `read` does so for many of them. They share rows, as the items of a bulk write do."""

    read: Callable[[UnitOfWork, int, list[Any]], None]
    brand_id: int
    item: Any


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """One request that writes; without `ahead` it has rows of its own."""

    principal: str
    idempotency_key: str
    content: Hash
    kind: str
    act: Callable[[UnitOfWork], str]
    ahead: Ahead | None = None


class Writes:
    """Thread-safe. Each write happens once and stands for itself: what one is refused for changes nothing for the others."""

    def __init__(self, writing: Callable[[], AbstractContextManager[UnitOfWork]]) -> None:
        self._writing = writing
        self._together: Together[PendingWrite, Written] = Together(self._all)
        self._soon: TogetherSoon[PendingWrite, Written] = TogetherSoon(self._all)

    async def do_soon(self, write: PendingWrite) -> Written:
        """As `do`, for coroutines of one event loop: waiting holds no thread."""
        return await self._soon.do(write)

    def do(self, write: PendingWrite) -> Written:
        """Raises what the write is refused for."""
        return self._together.do(write)

    def _all(self, writes: Sequence[PendingWrite]) -> Sequence[Written | Exception]:
        if len(writes) == 1:
            return [self._alone(writes[0])]
        try:
            with self._writing() as work:
                work.of(SqlRequests).prefetch({(write.principal, write.idempotency_key) for write in writes})
                _read_ahead(work, filter(None, (write.ahead for write in writes)))
                return [_outcome(work, write) for write in writes]
        except Unavailable as error:
            return [error] * len(writes)
        except Exception:
            return [self._alone(write) for write in writes]  # nothing of it is there: whose fault it is shows alone

    def _alone(self, write: PendingWrite) -> Written | Exception:
        try:
            with self._writing() as work:
                return _act(work, write)
        except Exception as error:
            return error


def _read_ahead(work: UnitOfWork, wanted: Iterable[Ahead]) -> None:
    items: dict[tuple[Callable[[UnitOfWork, int, list[Any]], None], int], list[Any]] = defaultdict(list)
    for one in wanted:
        items[one.read, one.brand_id].append(one.item)
    for (read, brand_id), of_brand in items.items():
        read(work, brand_id, of_brand)


def _outcome(work: UnitOfWork, write: PendingWrite) -> Written | Exception:
    try:
        if write.ahead is not None:
            return _act(work, write)
        with work.apart() as own:
            return _act(own, write)
    except Refusal as refusal:
        return refusal


def _act(work: UnitOfWork, write: PendingWrite) -> Written:
    named = write.principal, write.idempotency_key, write.content, write.kind
    return once(*named, lambda: write.act(work), requests=work.of(SqlRequests), now=work.now)
