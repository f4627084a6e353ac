"""What a till says, as what the agent writes down of it: the register's lines, and the item for the gateway."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.bodies.purchases import PaymentRefundBody, PurchaseBody, RefundFailureBody
from gateway.bodies.redemption import CaptureBody, CaptureItemBody, PointRefundBody, VoidBody
from gateway.bodies.shapes import Body
from gateway.brand_agent.forwarded import OrderBody, with_order
from gateway.brand_agent.item import Item, ItemKind, NewItem, Speaker
from gateway.brand_agent.outbox import OtherContent, add
from gateway.brand_agent.problems import TillRefused
from gateway.brand_agent.record_lines import OtherRecord, RecordLines
from gateway.brand_signer.config import Programme
from gateway.brand_signer.register_writer import (
    capture_record,
    point_refund_record,
    refund_failure_record,
    refund_record,
    sale_record,
    void_record,
)
from gateway.loyalty.evaluate import awards_due
from gateway.loyalty.rule import EarningRule, rule_in_force
from gateway.values.money import AmountMinor

_Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """`said` is the parsed body that the item carries."""

    item: NewItem
    said: Body
    records: Sequence[_Record]

    def keep(self, connection: sqlite3.Connection, lines: RecordLines, speaker: Speaker, now: int) -> tuple[Item, bool]:
        """(the item, whether it was said before)."""
        try:
            kept = add(connection, self.item, speaker, now, lambda body: type(self.said).model_validate_json(body) == self.said)
            if not kept[1]:
                for record in self.records:
                    lines.add(connection, record)
        except (OtherContent, OtherRecord) as other:
            raise TillRefused(409, "reference_reused", f"{other}: take another id for what is another thing") from None
        return kept


@dataclass(frozen=True, slots=True)
class KnownOrder:
    """An order for which points were asked through this agent."""

    order_id: str
    kind: str
    member_id: str
    reservation_id: str
    deadline: int


def sale(body: PurchaseBody, brand_id: int, points: int | None) -> Statement:
    """`points`: as promised."""
    if body.brand_id not in (None, brand_id):
        raise TillRefused(403, "not_permitted", f"this is the agent of brand {brand_id}: leave brand_id out")
    for name in ("tax_minor", "paid_with_points_minor"):
        if getattr(body, name) > body.gross_minor:
            raise TillRefused(422, "invalid", f"{name} must be from 0 to gross_minor", field=name)
    payment_id, day = body.payment_id, body.business_date.isoformat()
    record = sale_record(payment_id, body.member_id, body.occurred_at, body.gross_minor, body.tax_minor, body.paid_with_points_minor)
    item = NewItem(ItemKind.PURCHASE, payment_id, "", _text(body), f"payment:{payment_id}", day, body.gross_minor, points)
    return Statement(item, body, [record])


def points_promised(body: PurchaseBody, brand_id: int, programme: Programme, rules: Sequence[EarningRule]) -> int | None:
    """By the brand's own rules; None where none of them was in force, or one may be and it is not known since when: then the gateway's
    answer is awaited."""
    if body.member_id is None:
        return 0
    at = int(body.occurred_at.timestamp())
    rule = rule_in_force(rules, at)
    if rule is None or any(each.in_force_from is None and each.valid_from <= at for each in rules):
        return None
    untaxed = 0 if programme.earn_on_tax else body.tax_minor
    earns = AmountMinor(max(0, body.gross_minor - body.paid_with_points_minor - untaxed))
    return sum(award.points for award in awards_due(brand_id, rule, earns) if award.issuer_id == brand_id)


def payment_refund(body: PaymentRefundBody) -> Statement:
    item = NewItem(ItemKind.PAYMENT_REFUND, body.refund_id, "", _text(body), f"payment:{body.payment_id}")
    return Statement(item, body, [refund_record(body.refund_id, body.payment_id, body.amount_minor)])


def refund_failure(refund_id: str, body: RefundFailureBody, connection: sqlite3.Connection) -> Statement:
    row = connection.execute("SELECT line FROM records WHERE type = 'refund' AND id = ?", (refund_id,)).fetchone()
    if row is None:
        raise TillRefused(404, "not_found", f"no payment refund {refund_id} was told to this agent: tell it first")
    payment_id = json.loads(row[0])["payment_id"]
    item = NewItem(ItemKind.REFUND_FAILURE, refund_id, refund_id, _text(body), f"payment:{payment_id}")
    return Statement(item, body, [refund_failure_record(refund_id, payment_id)])


def capture(body: CaptureBody, order: KnownOrder) -> Statement:
    said = CaptureItemBody(**body.model_dump(), reservation_id=order.reservation_id)
    item = NewItem(ItemKind.CAPTURE, body.capture_id, order.reservation_id, _text(said), _held(order))
    return Statement(item, said, [capture_record(body.capture_id, order.order_id, order.member_id, body.points)])


def void(body: VoidBody, order: KnownOrder) -> Statement:
    item = NewItem(ItemKind.VOID, body.void_id, order.reservation_id, _text(body), _held(order))
    return Statement(item, body, [void_record(body.void_id, order.order_id, order.member_id)])


def point_refund(body: PointRefundBody, order: KnownOrder) -> Statement:
    item = NewItem(ItemKind.POINT_REFUND, body.point_refund_id, order.reservation_id, _text(body), _held(order))
    return Statement(item, body, [point_refund_record(body.point_refund_id, order.order_id, order.member_id, body.points)])


def of_order(body: CaptureBody | VoidBody | PointRefundBody, order: KnownOrder) -> Statement:
    match body:
        case CaptureBody():
            return capture(body, order)
        case VoidBody():
            return void(body, order)
        case PointRefundBody():
            return point_refund(body, order)


def with_its_order(statement: Statement, body: CaptureBody | VoidBody | PointRefundBody, order: OrderBody) -> Statement:
    """As a store's agent forwards it: the order goes along, since the reservation may not be known here, nor the order there."""
    said, order_id = with_order(body, order), order.consent.order_id
    return replace(statement, item=replace(statement.item, target=order_id, body=_text(said), held=f"order:{order_id}"), said=said)


def _held(order: KnownOrder) -> str:
    return f"reservation:{order.reservation_id}"


def _text(body: Body) -> str:
    return body.model_dump_json(exclude_defaults=True)
