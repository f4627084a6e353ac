"""An operation: one acknowledged write that becomes one entry on the ledger, or one transaction of the operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class OperationKind(StrEnum):
    ISSUE = "issue"
    CLAWBACK = "clawback"
    AUTHORIZE = "authorize"
    REDEEM = "redeem"
    CAPTURE = "capture"
    VOID = "void"
    POINT_REFUND = "point_refund"
    EXPIRE = "expire"
    ENROLL = "enroll"
    REGISTER_BRAND = "register_brand"
    SET_BRAND_TERMS = "set_brand_terms"
    SET_BRAND_LIMIT = "set_brand_limit"
    SET_BRAND_STATUS = "set_brand_status"
    SET_BRAND_KEY = "set_brand_key"


class OperationStatus(StrEnum):
    """accepted -> packed -> confirmed | refused."""

    ACCEPTED = "accepted"
    PACKED = "packed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NewOperation:
    """What is accepted. `pending_out` may still be taken from the member's available points; `body` is what the sequencer needs."""

    operation_id: str
    kind: OperationKind
    body: Mapping[str, object]
    brand_id: int | None = None
    member_id: str | None = None
    points: int = 0
    pending_out: int = 0
    reference: str | None = None
    reservation_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredOperation:
    """An operation as it stands now."""

    operation_id: str
    kind: OperationKind
    status: OperationStatus
    body: Mapping[str, object]
    brand_id: int | None
    reference: str | None
    reservation_id: str | None
