"""An award: what one rule gave for one purchase. It becomes an issue entry of its issuer; a payment refund takes its share back."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.awards import AwardId
from gateway.ledger.decision import Decision
from gateway.values.ids import MemberId, OperationId, Reference
from gateway.values.points import Points


@dataclass(frozen=True, slots=True)
class Award:
    """`rule` and `rule_version` gave it, `why` (JSON) names the figures they counted; `decision` has all that it was decided on.

    It has an operation, or the code of the refusal that it met when the purchase was recorded.
    """

    id: AwardId
    member_id: MemberId
    points: Points
    expiry_day: int
    rule: str
    rule_version: int
    why: str
    reference: Reference
    operation_id: OperationId | None
    refused: str | None
    decision: Decision


@dataclass(frozen=True, slots=True)
class AwardClawback:
    """What one payment refund takes back of one award, by number; it becomes a clawback entry of the award's issuer."""

    number: int
    issuer_id: int
    points_due: Points
    reference: Reference
    operation_id: OperationId


@dataclass(frozen=True, slots=True)
class AwardRestore:
    """What goes back of one award because a payment refund failed; it becomes a restore entry of the award's issuer."""

    number: int
    issuer_id: int
    points_due: Points
    reference: Reference
    operation_id: OperationId
