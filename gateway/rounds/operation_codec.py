"""Between operations and the database: the one place that knows how each kind is written in a row, and in what a signer is told.

The body's keys and their order are what signers were always sent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from gateway.ledger.awards import AwardId
from gateway.ledger.decision import Decision
from gateway.ledger.governing import GOVERNING_NAMES, GoverningOperation
from gateway.ledger.member_acts import DelayedAct, member_act_body, member_act_from
from gateway.rounds.brand_operation import (
    RegisterBrandOperation,
    SetBrandKeyOperation,
    SetBrandLimitOperation,
    SetBrandStatusOperation,
    SetBrandTermsOperation,
    SetExposureOperation,
)
from gateway.rounds.brand_operation_codec import BRAND_KINDS, brand_body, brand_operation_of
from gateway.rounds.lot_operation import ExtendOperation, OpeningOperation, RestoreOperation, TransferOperation
from gateway.rounds.lot_operation_codec import LOT_ACT_KINDS, lot_act_body, lot_act_of
from gateway.rounds.member_operation import ExecuteMemberActOperation, MemberActOperation
from gateway.rounds.operation import (
    KINDS,
    AuthorizeOperation,
    CaptureOperation,
    ClawbackOperation,
    EnrollOperation,
    ExpireOperation,
    IssueOperation,
    Operation,
    OperationKind,
    PointRefundOperation,
    RedeemOperation,
    SaleFacts,
    VoidOperation,
)
from gateway.rounds.tables import OperationRow
from gateway.rounds.transfer_codec import transfer_body, transfer_of
from gateway.values.hex import hex_text, to_bytes
from gateway.values.ids import Hash, MemberId, OperationId, Reference
from gateway.values.json_text import compact_json
from gateway.values.money import AmountMinor
from gateway.values.points import Points

_Body = Mapping[str, Any]
OPERATION_COLUMNS = (
    OperationRow.sequence,
    OperationRow.operation_id,
    OperationRow.brand_id,
    OperationRow.kind,
    OperationRow.member_id,
    OperationRow.points,
    OperationRow.reference,
    OperationRow.reservation_id,
    OperationRow.body,
    OperationRow.run_day,
)
"""What says what an operation is. Read without the rest, and not as entities: a round reads thousands."""


def columns_of(operation: Operation) -> dict[str, Any]:
    """The columns of an operation's row that say what it is. `pending_out`: what it may still take from the member's available points."""
    points, pending_out = _points(operation)
    return {
        "operation_id": operation.operation_id,
        "brand_id": getattr(operation, "brand_id", None),
        "kind": KINDS[type(operation)].value,
        "member_id": getattr(operation, "member_id", None),
        "points": points,
        "pending_out": pending_out,
        "reference": getattr(operation, "reference", None),
        "reservation_id": getattr(operation, "reservation_id", None),
        "run_day": getattr(operation, "run_day", None),
        "body": compact_json(_body(operation)),
    }


def signer_detail(operation: Operation) -> dict[str, Any]:
    """What a brand's signer is told of the entry that an operation became: what the entry's hashes hide."""
    member_id, reservation_id = getattr(operation, "member_id", None), getattr(operation, "reservation_id", None)
    return {
        **_body(operation),
        "kind": KINDS[type(operation)].value,
        "points": _points(operation)[0],
        "member_id": None if member_id is None else str(member_id),
        "reservation_id": None if reservation_id is None else str(reservation_id),
    }


def operation_of(row: OperationRow | Row[*tuple[Any, ...]]) -> Operation:
    """The operation that a row holds, or OPERATION_COLUMNS of one."""
    operation_id, body = OperationId(row.operation_id), json.loads(row.body)
    kind = OperationKind(row.kind)
    match kind:
        case OperationKind.ENROLL:
            authorizer, salt = to_bytes(body["authorizer"]), to_bytes(body["salt"])
            return EnrollOperation(operation_id, MemberId.parse(body["member_id"]), body["kind"], authorizer, salt)
        case OperationKind.MEMBER_ACT:
            act = member_act_from(body["act"])
            return MemberActOperation(operation_id, act.member, act, body["proof_kind"], to_bytes(body["proof"]))
        case OperationKind.EXECUTE_MEMBER_ACT:
            waiting = member_act_from(body["act"])
            assert isinstance(waiting, DelayedAct)
            return ExecuteMemberActOperation(operation_id, waiting.member, waiting)
        case _ if kind in _GOVERNING:
            return _GOVERNING[kind].of_body(operation_id, body)
        case _ if kind in BRAND_KINDS:
            return brand_operation_of(kind, operation_id, body)
        case _:
            return _entry_operation(kind, row, body)


def _entry_operation(kind: OperationKind, row: OperationRow | Row[*tuple[Any, ...]], body: _Body) -> Operation:
    assert row.brand_id is not None
    assert row.member_id is not None
    operation_id, brand_id, member_id, points = OperationId(row.operation_id), row.brand_id, row.member_id, Points(row.points)
    if kind is OperationKind.EXPIRE:
        return ExpireOperation(operation_id, brand_id, member_id, body["expiry_day"], points, row.run_day)
    if kind is OperationKind.TRANSFER:
        assert row.reservation_id is not None
        return transfer_of(operation_id, brand_id, member_id, row.reservation_id, body)
    assert row.reference is not None
    if kind in LOT_ACT_KINDS:
        return lot_act_of(kind, operation_id, brand_id, member_id, row.reference, points, body)
    if kind in (OperationKind.ISSUE, OperationKind.CLAWBACK):
        award = _award_from(brand_id, body)
        if kind is OperationKind.CLAWBACK:
            issue, amount = Reference.parse(body["issue_reference"]), AmountMinor(body["amount_minor"])
            of = award, body["refund_id"], amount, body.get("part", 0)
            return ClawbackOperation(operation_id, brand_id, member_id, row.reference, points, issue, *of)
        sale, day, version = _sale_from(body["sale"]), body["expiry_day"], body["rule_version"]
        decision = Decision(to_bytes(body["decision"]["salt"]), body["decision"]["text"])
        return IssueOperation(operation_id, brand_id, member_id, row.reference, points, day, version, award, decision, sale)
    assert row.reservation_id is not None
    if kind in (OperationKind.AUTHORIZE, OperationKind.REDEEM):
        return (AuthorizeOperation if kind is OperationKind.AUTHORIZE else RedeemOperation)(
            operation_id=operation_id,
            brand_id=brand_id,
            member_id=member_id,
            reference=row.reference,
            reservation_id=row.reservation_id,
            order_id=body["order_id"],
            points=points,
            discount_minor=AmountMinor(body["discount_minor"]),
            order_hash=Hash.parse(body["order_hash"]),
            nonce=body["nonce"],
            deadline=body["deadline"],
            proof_kind=body["proof_kind"],
            proof=to_bytes(body["proof"]),
        )
    reservation_id, reference = row.reservation_id, row.reference
    if kind is OperationKind.CAPTURE:
        return CaptureOperation(operation_id, brand_id, member_id, reservation_id, reference, body["capture_id"], points)
    if kind is OperationKind.VOID:
        return VoidOperation(operation_id, brand_id, member_id, reservation_id, reference, body["void_id"])
    assert kind is OperationKind.POINT_REFUND
    return PointRefundOperation(operation_id, brand_id, member_id, reservation_id, reference, body["point_refund_id"], points)


def _sale_from(sale: _Body) -> SaleFacts:
    return SaleFacts(
        AmountMinor(sale["gross_minor"]),
        AmountMinor(sale["tax_minor"]),
        AmountMinor(sale["paid_with_points_minor"]),
        sale["currency"],
        datetime.fromisoformat(sale["occurred_at"]),
    )


def _points(operation: Operation) -> tuple[int, int]:
    """(points it is about, points that it may still take from what is available)."""
    match operation:
        case ClawbackOperation():
            return operation.points_due, operation.points_due
        case AuthorizeOperation() | RedeemOperation() | TransferOperation():
            return operation.points, operation.points
        case IssueOperation() | CaptureOperation() | PointRefundOperation() | ExpireOperation() | OpeningOperation() | ExtendOperation():
            return operation.points, 0
        case RestoreOperation():
            return operation.points_due, 0
        case _:
            return 0, 0


def _body(operation: Operation) -> dict[str, Any]:
    match operation:
        case IssueOperation(award=award, sale=sale):
            due = {"points": operation.points, "expiry_day": operation.expiry_day, "rule_version": operation.rule_version}
            decision = {"salt": hex_text(operation.decision.salt), "text": operation.decision.text}
            return {"payment_id": award.payment_id, **due, "sale": _sale_body(sale), **_award_body(award), "decision": decision}
        case ClawbackOperation(award=award):
            return {
                "refund_id": operation.refund_id,
                "payment_id": award.payment_id,
                "issue_reference": str(operation.issue_reference),
                "points_due": operation.points_due,
                "amount_minor": operation.amount_minor,
                **_award_body(award),
                **({"part": operation.part} if operation.part else {}),
            }
        case AuthorizeOperation() | RedeemOperation():
            return {
                "order_id": operation.order_id,
                "points": operation.points,
                "discount_minor": operation.discount_minor,
                "order_hash": str(operation.order_hash),
                "nonce": operation.nonce,
                "deadline": operation.deadline,
                "proof_kind": operation.proof_kind,
                "proof": hex_text(operation.proof),
            }
        case CaptureOperation():
            return {"capture_id": operation.capture_id, "points": operation.points}
        case VoidOperation():
            return {"void_id": operation.void_id}
        case PointRefundOperation():
            return {"point_refund_id": operation.point_refund_id, "points": operation.points}
        case ExpireOperation():
            return {"expiry_day": operation.expiry_day, "points": operation.points}
        case OpeningOperation() | RestoreOperation() | ExtendOperation():
            return lot_act_body(operation)
        case TransferOperation():
            return transfer_body(operation)
        case EnrollOperation():
            first = {"kind": operation.kind, "authorizer": hex_text(operation.authorizer), "salt": hex_text(operation.salt)}
            return {"member_id": str(operation.member_id), **first}
        case MemberActOperation():
            return {"act": member_act_body(operation.act), "proof_kind": operation.proof_kind, "proof": hex_text(operation.proof)}
        case ExecuteMemberActOperation():
            return {"act": member_act_body(operation.act)}
        case RegisterBrandOperation() | SetBrandLimitOperation() | SetBrandStatusOperation():
            return brand_body(operation)
        case SetBrandTermsOperation() | SetBrandKeyOperation() | SetExposureOperation():
            return brand_body(operation)
        case _:
            return operation.body()


def _sale_body(sale: SaleFacts) -> dict[str, Any]:
    return {
        "gross_minor": sale.gross_minor,
        "tax_minor": sale.tax_minor,
        "paid_with_points_minor": sale.paid_with_points_minor,
        "currency": sale.currency,
        "occurred_at": sale.occurred_at.isoformat(),
    }


def _award_body(award: AwardId) -> dict[str, Any]:
    """Nothing for a brand's own first award, which is all that signers knew of once."""
    return {} if award.is_plain else {"award": {"number": award.number, "sold_by": award.sold_by}}


def _award_from(issuer_id: int, body: _Body) -> AwardId:
    named = body.get("award", {"number": 1, "sold_by": issuer_id})
    return AwardId(named["sold_by"], body["payment_id"], named["number"], issuer_id)


_GOVERNING: Mapping[OperationKind, type[GoverningOperation]] = {OperationKind(name): kind for kind, name in GOVERNING_NAMES.items()}
