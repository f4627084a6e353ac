"""A store's outbox: told to the brand's agent, and followed there to its end. An item ends by the brand's agent's word and nothing else."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gateway.brand_agent.follower import EndsFollower
from gateway.brand_agent.forgotten import AnsweredItem, GatewaysMemory
from gateway.brand_agent.forwarded import ASKED_MAX, BYTES_MAX, ITEMS_MAX
from gateway.brand_agent.forwarder import Forwarder
from gateway.brand_agent.gateway_client import GatewayAnswer
from gateway.brand_agent.item import Item, ItemKind, ItemState, Outcome
from gateway.brand_agent.outbox import Mark, answered, asked, mark
from gateway.brand_agent.parcels import NOT_THERE, Parcel, mark_of_problem
from gateway.brand_agent.till_journal import TillJournal
from gateway.brand_agent.upstream_client import ITEMS_PATH, UpstreamClient
from gateway.values.printing import printable

_AT_ONCE = 4_000
_PART_BYTES = BYTES_MAX // 2
_TEXT_LENGTH_MAX = 500
_DAMAGED = "the answer of the brand's agent is damaged"


class BrandAgentsMemory(GatewaysMemory):
    """Whether the brand's agent still knows what it was told: one from an old backup is told again."""

    _ASKED_OF = "1"

    def __init__(self, journal: TillJournal, client: UpstreamClient) -> None:
        super().__init__(journal, client)
        self._upstream = client

    def _knows(self, one: AnsweredItem) -> bool:
        (told,) = self._upstream.standings([(one.kind, one.external_id)])
        return not _is_not_there(told)

    def _tell_orders(self, since: float) -> None:
        """An order goes along with what followed it. Asked again it might be given as an own discount, or take points in place of one."""


class UpstreamForwarder(Forwarder):
    """All kinds go in bulk."""

    def _most_in(self, _: ItemKind) -> int:
        return ITEMS_MAX

    def _told(self, parcel: Parcel) -> list[Mark]:
        return [mark for some in _in_bounds(parcel.items) for mark in self._told_at_once(some)]

    def _told_at_once(self, items: Mapping[str, Item]) -> list[Mark]:
        answer = self._client.post(ITEMS_PATH, f'{{"items":[{",".join(items)}]}}'.encode(), "")
        results = answer.body.get("results")
        if answer.status != 202 or not isinstance(results, list) or len(results) != len(items):  # that is about no item
            return [Mark(item.sequence, reason=answer.code, is_fault=True, detail=answer.detail) for item in items.values()]
        return [_mark_of(item, told) for item, told in zip(items.values(), results, strict=True)]


class UpstreamFollower(EndsFollower):
    """By items: how the brand's agent says that they stand."""

    def __init__(self, journal: TillJournal, client: UpstreamClient, memory: BrandAgentsMemory) -> None:
        super().__init__(journal, memory)
        self._client = client
        self._told_again = memory.tell_again

    def turn(self) -> int:
        items = answered(self._reader, time.time(), _AT_ONCE)
        lost: list[float] = []
        marks: list[Mark] = []
        for first in range(0, len(items), ASKED_MAX):
            some = items[first : first + ASKED_MAX]
            told = self._client.standings([(item.kind, item.external_id) for item in some])
            marks += [_of_standing(item, one) for item, one in zip(some, told, strict=True)]
            lost += [item.answered_at for item, one in zip(some, told, strict=True) if _is_not_there(one)]

        def act(connection: sqlite3.Connection) -> None:
            mark(connection, [one for one in marks if not one.is_fault], time.time())
            asked(connection, [one.sequence for one in marks], time.time())

        if marks:
            self._journal.write(act)
        if lost:
            self._told_again(min(lost))
        return sum(one.outcome is not None for one in marks)


def _in_bounds(items: Sequence[Item]) -> Iterator[Mapping[str, Item]]:
    """By how they are written, in parts of which none is above what a brand's agent reads."""
    part: dict[str, Item] = {}
    size = 0
    for item in items:
        written = _written(item)
        size += len(written.encode())
        if part and size > _PART_BYTES:
            yield part
            part, size = {}, len(written.encode())
        part[written] = item
    yield part


def _written(item: Item) -> str:
    """As it was journaled, with the till and cashier that said it."""
    head = {"kind": item.kind, "target": item.target, "till": item.till} | ({} if item.cashier is None else {"cashier": item.cashier})
    return f'{json.dumps(head)[:-1]},"body":{item.body}}}'


def _is_not_there(told: Any) -> bool:
    problem = told.get("problem") if isinstance(told, dict) else None
    return isinstance(problem, dict) and problem.get("code") == NOT_THERE


def _mark_of(item: Item, told: Any) -> Mark:
    """An item may be refused before it is one there."""
    problem = told.get("problem") if isinstance(told, dict) else None
    if not isinstance(problem, dict):
        return _of_standing(item, told)
    status = problem.get("status")
    return mark_of_problem(item, GatewayAnswer(status if type(status) is int and "code" in problem else 500, problem))


def _of_standing(item: Item, told: Any) -> Mark:
    """What is not said in full, and of this very item, says nothing."""
    damaged = Mark(item.sequence, reason=_DAMAGED, is_fault=True)
    if not isinstance(told, dict) or (told.get("kind"), told.get("id")) != (item.kind, item.external_id):
        return damaged
    operation_id, reason, detail = (_text(told, name) for name in ("operation_id", "reason", "detail"))
    points = told.get("points")
    promised = points if type(points) is int and 0 <= points < 2**63 else None
    match told.get("state"), told.get("outcome"):
        case ItemState.ENDED, (Outcome.CONFIRMED | Outcome.REFUSED) as outcome:
            return Mark(item.sequence, operation_id, Outcome(outcome), reason, detail=detail, points=promised)
        case ((ItemState.JOURNALED | ItemState.SENT | ItemState.ANSWERED), None):
            return Mark(item.sequence, operation_id, reason=reason, is_there=True, points=promised)
        case _:
            return damaged


def _text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    return printable(value, _TEXT_LENGTH_MAX) if isinstance(value, str) else None
