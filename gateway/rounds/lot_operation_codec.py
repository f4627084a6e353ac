"""Between openings, restores and extensions and the body of their rows, which their brand's signer is told, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.ledger.awards import AwardId
from gateway.ledger.lot_references import Activity, ActivityKind
from gateway.rounds.lot_operation import ExtendOperation, LotActOperation, OpeningOperation, RestoreOperation
from gateway.rounds.operation import OperationKind
from gateway.values.ids import Hash, MemberId, OperationId, Reference
from gateway.values.points import Points

LOT_ACT_KINDS = (OperationKind.OPENING, OperationKind.RESTORE, OperationKind.EXTEND)


def lot_act_body(operation: LotActOperation) -> dict[str, Any]:
    """JSON without the columns that every row has."""
    match operation:
        case OpeningOperation():
            ratio = {"ratio_points": operation.ratio_points, "ratio_units": operation.ratio_units, "source": str(operation.source)}
            line = {"line_number": operation.line_number, "units": operation.units}
            return {"points": operation.points, "expiry_day": operation.expiry_day, "programme": operation.programme, **ratio, **line}
        case RestoreOperation(award=award):
            due = {"points_due": operation.points_due, "clawed_back_due": operation.clawed_back_due, "others_due": operation.others_due}
            of = {"clawbacks": [str(each) for each in operation.clawbacks], "issue_reference": str(operation.issue_reference)}
            named = {"award": {"number": award.number, "sold_by": award.sold_by}}
            return {"refund_id": operation.refund_id, "payment_id": award.payment_id, **due, **of, **named}
        case ExtendOperation():
            days = {"from_day": operation.from_day, "to_day": operation.to_day, "points": operation.points}
            return {**days, "activity": {"kind": operation.activity.kind.value, "id": operation.activity.id}}


def lot_act_of(
    kind: OperationKind,
    operation_id: OperationId,
    brand_id: int,
    member_id: MemberId,
    reference: Reference,
    points: Points,
    body: Mapping[str, Any],
) -> LotActOperation:
    whose = operation_id, brand_id, member_id, reference
    if kind is OperationKind.OPENING:
        ratio = body["ratio_points"], body["ratio_units"], Hash.parse(body["source"])
        return OpeningOperation(*whose, points, body["expiry_day"], body["programme"], *ratio, body["line_number"], body["units"])
    if kind is OperationKind.RESTORE:
        clawbacks = tuple(Reference.parse(each) for each in body["clawbacks"])
        award = AwardId(body["award"]["sold_by"], body["payment_id"], body["award"]["number"], brand_id)
        issue = Reference.parse(body["issue_reference"])
        due = points, Points(body["clawed_back_due"]), body.get("others_due")
        return RestoreOperation(*whose, *due, clawbacks, issue, award, body["refund_id"])
    assert kind is OperationKind.EXTEND
    activity = Activity(ActivityKind(body["activity"]["kind"]), body["activity"]["id"])
    return ExtendOperation(*whose, body["from_day"], body["to_day"], points, activity)
