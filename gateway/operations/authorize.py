"""Authorize: reserve points of a member for one redemption at the accepting brand, until the consent's deadline."""

from __future__ import annotations

from gateway.domain.brand import Brand
from gateway.domain.coalition import Coalition
from gateway.domain.operation import OperationKind
from gateway.operations.ports import Members, Operations, Points
from gateway.operations.redemption_request import RedemptionRequest, accept_redemption


def authorize(
    request: RedemptionRequest,
    *,
    brand: Brand,
    coalition: Coalition,
    members: Members,
    points: Points,
    operations: Operations,
    operation_id: str,
    now: int,
) -> str:
    """The operation's id. Checked here already: consent, deadline, available points; the contract checks them again."""
    return accept_redemption(
        OperationKind.AUTHORIZE,
        request,
        brand=brand,
        coalition=coalition,
        members=members,
        points=points,
        operations=operations,
        operation_id=operation_id,
        now=now,
    )
