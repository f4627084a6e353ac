"""Under which references a line of the register may have been signed."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.brand_signer.register_records import (
    Record,
    RegisteredCapture,
    RegisteredOrder,
    RegisteredPointRefund,
    RegisteredRefund,
    RegisteredRefundFailure,
    RegisteredSale,
    RegisteredVoid,
)
from gateway.ledger.awards import FIRST, AwardId, award_reference
from gateway.ledger.lot_references import carried_reference, restore_reference
from gateway.ledger.signing import reference
from gateway.values.ids import Reference

_AWARDS_LOOKED_FOR = range(FIRST, FIRST + 8)
_PARTS_LOOKED_FOR = range(8)


def references_of(record: Record, secret: bytes, brand_id: int) -> Iterator[Reference]:
    """Of the brand's own awards, as many as a purchase may have here, and what follows from them."""
    match record:
        case RegisteredSale():
            yield from (award_reference(secret, award) for award in _awards(record.payment_id, brand_id))
        case RegisteredRefund():
            for award in _awards(record.payment_id, brand_id):
                yield from (carried_reference(secret, award, record.refund_id, part) for part in _PARTS_LOOKED_FOR)
        case RegisteredRefundFailure():
            yield from (restore_reference(secret, award, record.refund_id) for award in _awards(record.payment_id, brand_id))
        case RegisteredOrder():
            yield reference(secret, "order", record.order_id)
        case RegisteredCapture():
            yield reference(secret, "capture", record.capture_id)
        case RegisteredVoid():
            yield reference(secret, "void", record.void_id)
        case RegisteredPointRefund():
            yield reference(secret, "point-refund", record.point_refund_id)


def _awards(payment_id: str, brand_id: int) -> list[AwardId]:
    return [AwardId(brand_id, payment_id, number, brand_id) for number in _AWARDS_LOOKED_FOR]
