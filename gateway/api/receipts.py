"""Receipts: documents that anyone can check offline with scripts/verify_receipt.py."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from gateway.api.context import Context, ContextNeeded
from gateway.api.permissions import AsReader
from gateway.api.problems import READS, answers
from gateway.api.routing import Router
from gateway.api.shapes import MemberIdPath
from gateway.chain.connection import Chain
from gateway.receipts.prove import receipt_of_operation, receipt_of_points
from gateway.values.errors import Unavailable

router = Router(prefix="/v1", tags=["receipts"])


@router.get("/operations/{operation_id}/receipt", responses={**READS, **answers(409)})
def get_operation_receipt(
    operation_id: Annotated[str, Path(min_length=1, max_length=64)], caller: AsReader, context: ContextNeeded
) -> dict[str, Any]:
    """The receipt of the entry that an operation became; of a refused one it proves the refusal. A brand gets its own."""
    return receipt_of_operation(context.database, _chain(context), operation_id, caller.brand_id)


@router.get("/members/{member_id}/receipt", responses={**READS, **answers(409)})
def get_member_receipt(
    member_id: MemberIdPath, _caller: AsReader, context: ContextNeeded, block: Annotated[int | None, Query(ge=0, lt=2**40)] = None
) -> dict[str, Any]:
    """The receipt of a member's points at a block, by default the last one projected. It names no other member."""
    return receipt_of_points(context.database, _chain(context), member_id, block)


def _chain(context: Context) -> Chain:
    if context.chain is None:
        raise Unavailable("this gateway has no node to ask for proofs")
    return context.chain
