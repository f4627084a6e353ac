"""What a store's agent hands over to its brand's agent: items as the store journaled them, each with the till and cashier that said it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from gateway.bodies.redemption import CaptureBody, ConsentBody, PointRefundBody, VoidBody
from gateway.bodies.shapes import Body, ExternalId
from gateway.brand_agent.item import ItemKind

ITEMS_MAX = 200
BYTES_MAX = 1024 * 1024
ASKED_MAX = 500
TillName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Cashier = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]


class OrderBody(Body):
    """An order as it was asked for: an agent that never heard of it knows by this what it was."""

    kind: Literal["authorize", "redeem"]
    consent: ConsentBody


class CaptureOfOrderBody(CaptureBody):
    order: OrderBody

    def without_order(self) -> CaptureBody:
        return CaptureBody.model_validate(self.model_dump(exclude={"order"}))


class VoidOfOrderBody(VoidBody):
    order: OrderBody

    def without_order(self) -> VoidBody:
        return VoidBody.model_validate(self.model_dump(exclude={"order"}))


class PointRefundOfOrderBody(PointRefundBody):
    order: OrderBody

    def without_order(self) -> PointRefundBody:
        return PointRefundBody.model_validate(self.model_dump(exclude={"order"}))


OfOrderBody = CaptureOfOrderBody | VoidOfOrderBody | PointRefundOfOrderBody


class ForwardedItem(Body):
    """`target`: the payment refund of a failure, or the order; `body` is what its kind has."""

    kind: ItemKind
    target: Annotated[str, StringConstraints(max_length=256)] = ""
    till: TillName
    cashier: Cashier | None = None
    body: JsonValue


class ForwardedItemsBody(Body):
    items: Annotated[tuple[ForwardedItem, ...], Field(min_length=1, max_length=ITEMS_MAX)]


class NamedItem(Body):
    kind: ItemKind
    id: ExternalId


class NamedItemsBody(Body):
    """Items of which it is asked how they stand; none: whether the token is taken."""

    items: Annotated[tuple[NamedItem, ...], Field(max_length=ASKED_MAX)]


def with_order(body: CaptureBody | VoidBody | PointRefundBody, order: OrderBody) -> OfOrderBody:
    said = body.model_dump()
    match body:
        case CaptureBody():
            return CaptureOfOrderBody(**said, order=order)
        case VoidBody():
            return VoidOfOrderBody(**said, order=order)
        case PointRefundBody():
            return PointRefundOfOrderBody(**said, order=order)
