"""An operation: one acknowledged write that becomes one entry on the ledger, or one transaction of the operator.

One type a kind; each has all that its kind always has, so that what is accepted can be packed without asking anything again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.ledger.awards import AwardId
from gateway.ledger.decision import Decision
from gateway.ledger.entries import MEMBER_GRANT
from gateway.ledger.governing import GOVERNING_NAMES, GoverningOperation
from gateway.ledger.governing import OwnerSignature as OwnerSignature
from gateway.rounds.brand_operation import (
    BrandOperation,
    RegisterBrandOperation,
    SetBrandKeyOperation,
    SetBrandLimitOperation,
    SetBrandStatusOperation,
    SetBrandTermsOperation,
    SetExposureOperation,
)
from gateway.rounds.lot_operation import ExtendOperation, OpeningOperation, RestoreOperation, TransferOperation
from gateway.rounds.member_operation import ExecuteMemberActOperation, MemberActOperation
from gateway.values.ids import Hash, MemberId, OperationId, Reference, ReservationId
from gateway.values.money import AmountMinor
from gateway.values.points import Points


class OperationKind(StrEnum):
    """How a kind is written in rows, answers and messages to signers."""

    ISSUE = "issue"
    CLAWBACK = "clawback"
    AUTHORIZE = "authorize"
    REDEEM = "redeem"
    CAPTURE = "capture"
    VOID = "void"
    POINT_REFUND = "point_refund"
    EXPIRE = "expire"
    OPENING = "opening"
    RESTORE = "restore"
    EXTEND = "extend"
    TRANSFER = "transfer"
    ENROLL = "enroll"
    REGISTER_BRAND = "register_brand"
    SET_BRAND_TERMS = "set_brand_terms"
    SET_BRAND_LIMIT = "set_brand_limit"
    SET_BRAND_STATUS = "set_brand_status"
    SET_BRAND_KEY = "set_brand_key"
    MEMBER_ACT = "member_act"
    EXECUTE_MEMBER_ACT = "execute_member_act"
    SET_EXPOSURE = "set_exposure"
    HAND_BRAND_OVER = "hand_brand_over"
    START_RUN_OFF = "start_run_off"
    SET_BRAND_OWNER = "set_brand_owner"
    REARM_PAUSE = "rearm_pause"
    SET_APPROVERS = "set_approvers"
    REPLACE_GUARDIAN = "replace_guardian"
    REPLACE_OPERATOR = "replace_operator"
    UPDATE_DELAY = "update_delay"
    VETO_ACT = "veto_act"


class OperationStatus(StrEnum):
    """accepted -> packed -> confirmed | refused; an act of governance is `proposed` between the first two, until it is approved."""

    ACCEPTED = "accepted"
    PROPOSED = "proposed"
    PACKED = "packed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SaleFacts:
    """What the issuer's signer is told of the sale behind an award."""

    gross_minor: AmountMinor
    tax_minor: AmountMinor
    paid_with_points_minor: AmountMinor
    currency: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class IssueOperation:
    """One award of a purchase; `brand_id` issues."""

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reference: Reference
    points: Points
    expiry_day: int
    rule_version: int
    award: AwardId
    decision: Decision
    sale: SaleFacts


@dataclass(frozen=True, slots=True)
class ClawbackOperation:
    """Points due back of one award because `amount_minor` went back; what is spent already falls short.

    `part` counts the clawbacks that take later what fell short at first.
    """

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reference: Reference
    points_due: Points
    issue_reference: Reference
    award: AwardId
    refund_id: str
    amount_minor: AmountMinor
    part: int = 0


@dataclass(frozen=True, slots=True)
class _Redemption:
    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reference: Reference
    reservation_id: ReservationId
    order_id: str
    points: Points
    discount_minor: AmountMinor
    order_hash: Hash
    nonce: int
    deadline: int
    proof_kind: int
    proof: bytes


class AuthorizeOperation(_Redemption):
    """Reserves points at the accepting brand `brand_id`, under the member's consent until `deadline` (Unix seconds)."""

    __slots__ = ()


class RedeemOperation(_Redemption):
    """Authorizes and captures in one entry."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CaptureOperation:
    """Uses a reservation; what is not captured is released. `capture_id` is the accepting brand's own id."""

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reservation_id: ReservationId
    reference: Reference
    capture_id: str
    points: Points


@dataclass(frozen=True, slots=True)
class VoidOperation:
    """Releases a reservation."""

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reservation_id: ReservationId
    reference: Reference
    void_id: str


@dataclass(frozen=True, slots=True)
class PointRefundOperation:
    """Gives captured points back."""

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    reservation_id: ReservationId
    reference: Reference
    point_refund_id: str
    points: Points


@dataclass(frozen=True, slots=True)
class ExpireOperation:
    """Ends a member's unreserved points in an expired lot of the issuing brand; `run_day`: the day of the expiry run that it is of."""

    operation_id: OperationId
    brand_id: int
    member_id: MemberId
    expiry_day: int
    points: Points
    run_day: int | None


@dataclass(frozen=True, slots=True)
class EnrollOperation:
    """A member with its first authorizer; anyone may relay it."""

    operation_id: OperationId
    member_id: MemberId
    kind: int
    authorizer: bytes
    salt: bytes


RedemptionOperation = AuthorizeOperation | RedeemOperation
ReservationOperation = CaptureOperation | VoidOperation | PointRefundOperation
LotOperation = (
    ClawbackOperation
    | RedemptionOperation
    | ReservationOperation
    | ExpireOperation
    | RestoreOperation
    | ExtendOperation
    | TransferOperation
)
GivingOperation = IssueOperation | OpeningOperation
EntryOperation = GivingOperation | LotOperation
MemberOperation = EnrollOperation | MemberActOperation | ExecuteMemberActOperation
AdminOperation = MemberOperation | BrandOperation | GoverningOperation
Operation = EntryOperation | AdminOperation

KINDS: dict[type[Operation], OperationKind] = {
    IssueOperation: OperationKind.ISSUE,
    ClawbackOperation: OperationKind.CLAWBACK,
    AuthorizeOperation: OperationKind.AUTHORIZE,
    RedeemOperation: OperationKind.REDEEM,
    CaptureOperation: OperationKind.CAPTURE,
    VoidOperation: OperationKind.VOID,
    PointRefundOperation: OperationKind.POINT_REFUND,
    ExpireOperation: OperationKind.EXPIRE,
    OpeningOperation: OperationKind.OPENING,
    RestoreOperation: OperationKind.RESTORE,
    ExtendOperation: OperationKind.EXTEND,
    TransferOperation: OperationKind.TRANSFER,
    EnrollOperation: OperationKind.ENROLL,
    RegisterBrandOperation: OperationKind.REGISTER_BRAND,
    SetBrandTermsOperation: OperationKind.SET_BRAND_TERMS,
    SetBrandLimitOperation: OperationKind.SET_BRAND_LIMIT,
    SetBrandStatusOperation: OperationKind.SET_BRAND_STATUS,
    SetBrandKeyOperation: OperationKind.SET_BRAND_KEY,
    MemberActOperation: OperationKind.MEMBER_ACT,
    ExecuteMemberActOperation: OperationKind.EXECUTE_MEMBER_ACT,
    SetExposureOperation: OperationKind.SET_EXPOSURE,
    **{kind: OperationKind(name) for kind, name in GOVERNING_NAMES.items()},
}


GIVING_KINDS = (OperationKind.ISSUE, OperationKind.OPENING)
"""Which touch no points that are there already."""


def consenting(operation: EntryOperation) -> tuple[MemberId, ...]:
    """Whose consent it needs beside that of the member whose points go out."""
    match operation:
        case AuthorizeOperation() | RedeemOperation() if operation.proof_kind == MEMBER_GRANT:
            return (MemberId(operation.proof[:20]),)
        case TransferOperation():
            return (operation.taker_id,)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class StoredOperation:
    """An operation as it stands now."""

    operation: Operation
    kind: OperationKind
    status: OperationStatus
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """An accepted operation that is to become an entry, in the order of acceptance."""

    sequence: int
    operation: EntryOperation


@dataclass(frozen=True, slots=True)
class WaitingAct:
    """An accepted operation that is to become a transaction of the operator, in the order of acceptance."""

    sequence: int
    operation: AdminOperation
