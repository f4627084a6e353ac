"""Items as requests to the gateway, and the gateway's answers as marks on them. Pure.

The idempotency key follows from the ids alone, so that a resend after a kill is the same request; whatever carries an item, the gateway
knows it again by its kind, id and content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from gateway.brand_agent.gateway_client import GatewayAnswer
from gateway.brand_agent.item import Item, ItemKind, Outcome
from gateway.brand_agent.outbox import PARCEL_MAX, Mark

_BULK = {
    ItemKind.PURCHASE: ("/v1/purchases/bulk", "purchases"),
    ItemKind.PAYMENT_REFUND: ("/v1/payment-refunds/bulk", "payment_refunds"),
    ItemKind.CAPTURE: ("/v1/captures/bulk", "captures"),
}
_ALONE = {
    ItemKind.REFUND_FAILURE: "/v1/payment-refunds/{}/failure",
    ItemKind.VOID: "/v1/authorizations/{}/void",
    ItemKind.POINT_REFUND: "/v1/authorizations/{}/point-refunds",
}
NOTHING_ON_LEDGER = "nothing_due"
NOTHING_AUTHORIZED = "nothing_authorized"
NOT_THERE = "not_found"


@dataclass(frozen=True, slots=True)
class Parcel:
    """Items that go in one request."""

    kind: ItemKind
    items: Sequence[Item]

    @property
    def path(self) -> str:
        return _BULK[self.kind][0] if self.kind in _BULK else _ALONE[self.kind].format(quote(self.items[0].target, safe=""))

    @property
    def content(self) -> bytes:
        if self.kind not in _BULK:
            return self.items[0].body.encode()
        return f'{{"{_BULK[self.kind][1]}":[{",".join(item.body for item in self.items)}]}}'.encode()

    @property
    def idempotency_key(self) -> str:
        """A bulk that was answered in part is another one when what is left of it goes again: the gateway keeps refusals in it."""
        if self.kind not in _BULK:
            named = f"{self.kind} {self.items[0].external_id}"
        else:
            named = f"{self.kind}s " + " ".join(f"{item.external_id} {item.tries}" for item in self.items)
        return f"agent-{sha256(named.encode()).hexdigest()}"


def most_in(kind: ItemKind) -> int:
    return PARCEL_MAX if kind in _BULK else 1


def marks_of(parcel: Parcel, answer: GatewayAnswer) -> list[Mark]:
    """What the answer says of each item; what it does not say is sent again."""
    if parcel.kind not in _BULK:
        return [_of_one(parcel.items[0], answer)]
    results = answer.body.get("results")
    if answer.status not in (200, 201, 202) or not isinstance(results, list) or len(results) != len(parcel.items):
        return [_of_failed(item, answer, alone=len(parcel.items) == 1) for item in parcel.items]
    return [_of_result(item, result) for item, result in zip(parcel.items, results, strict=True)]


def end_of(operation: Mapping[str, Any]) -> tuple[Outcome | None, str | None]:
    """How an operation has ended by the gateway's word, if it has, and the reason that it gives."""
    reason = operation.get("reason")
    told = reason[:200] if isinstance(reason, str) else None
    status = operation.get("status")
    return (Outcome(status), told) if status in tuple(Outcome) else (None, told)


def _of_result(item: Item, result: Any) -> Mark:
    if not isinstance(result, dict):
        return _damaged(item)
    problem = result.get("problem")
    if isinstance(problem, dict):
        status = problem.get("status")
        return mark_of_problem(item, GatewayAnswer(status if isinstance(status, int) and "code" in problem else 500, problem))
    return _of_operation(item, result, result.get("operation_ids"))


def _of_one(item: Item, answer: GatewayAnswer) -> Mark:
    if answer.status in (200, 201, 202):
        if item.kind is not ItemKind.REFUND_FAILURE:
            return _of_operation(item, answer.body)
        restores = answer.body.get("restores")
        if not isinstance(restores, list):
            return _damaged(item)
        restored = [one for one in restores if isinstance(one, dict)]
        return _of_operation(item, {"operation": restored[0] if restored else None}, [one.get("operation_id") for one in restored])
    if item.kind is ItemKind.VOID and (answer.status, answer.code) == (404, NOT_THERE):
        return Mark(item.sequence, outcome=Outcome.CONFIRMED, reason=NOTHING_AUTHORIZED)
    return mark_of_problem(item, answer)


def _of_operation(item: Item, told: Mapping[str, Any], all_ids: Any = None) -> Mark:
    """`all_ids`: of every operation that came of it, the first one's too. That there is none is said, not left out."""
    operation = told.get("operation", {})
    operation_id = operation.get("operation_id") if isinstance(operation, dict) else None
    if operation is None:
        return Mark(item.sequence, outcome=Outcome.CONFIRMED, reason=NOTHING_ON_LEDGER)
    named = all_ids if isinstance(all_ids, list) else []
    if not isinstance(operation, dict) or not all(map(_is_id, (operation_id, *named))):
        return _damaged(item)
    more = tuple(one for one in dict.fromkeys(named) if one != operation_id)
    return Mark(item.sequence, operation_id, reason=end_of(operation)[1], more_operations=more)


def _damaged(item: Item) -> Mark:
    return Mark(item.sequence, reason="the gateway's answer is damaged", is_fault=True)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and 1 <= len(value) <= 64


def mark_of_problem(item: Item, problem: GatewayAnswer) -> Mark:
    if 400 <= problem.status < 500 and problem.status not in (408, 425, 429):
        facts = problem.body.get("facts")
        ended = facts.get("operation_id") if isinstance(facts, dict) else None
        operation_id = ended if isinstance(ended, str) and len(ended) <= 64 else None
        return Mark(item.sequence, operation_id, Outcome.REFUSED, problem.code, detail=problem.detail)
    return Mark(item.sequence, reason=problem.code, is_fault=True, detail=problem.detail)


def _of_failed(item: Item, answer: GatewayAnswer, *, alone: bool) -> Mark:
    """A parcel refused as a whole: one of its items may be to blame, so it goes again in smaller ones."""
    return (
        mark_of_problem(item, answer)
        if alone and answer.status >= 400
        else Mark(item.sequence, reason=answer.code, is_fault=True, detail=answer.detail)
    )
