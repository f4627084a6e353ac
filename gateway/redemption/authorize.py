"""Authorize: reserve points of a member for one redemption at the accepting brand, until the consent's deadline."""

from __future__ import annotations

from gateway.brands.brand import Brand
from gateway.coalition.coalition import Coalition
from gateway.members.ports import Members
from gateway.points.ports import HeldByMembers
from gateway.redemption.ports import Reservations
from gateway.redemption.redemption_request import RedemptionRequest, accept_redemption
from gateway.rounds.operation import AuthorizeOperation
from gateway.rounds.ports import Operations
from gateway.values.ids import OperationId


def authorize(
    request: RedemptionRequest,
    *,
    brand: Brand,
    coalition: Coalition,
    members: Members,
    points: HeldByMembers,
    reservations: Reservations,
    operations: Operations,
    operation_id: OperationId,
    now: int,
) -> OperationId:
    """The operation's id. Checked here already: consent, deadline, available points; the contract checks them again."""
    return accept_redemption(
        AuthorizeOperation,
        request,
        brand=brand,
        coalition=coalition,
        members=members,
        points=points,
        reservations=reservations,
        operations=operations,
        operation_id=operation_id,
        now=now,
    )
