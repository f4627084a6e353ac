"""Clearing: who owes whom, and each brand's net position."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.api.context import ContextNeeded
from gateway.api.permissions import Reader
from gateway.api.problems import READS
from gateway.clearing.views import ClearingView, clearing

router = APIRouter(prefix="/v1/clearing", tags=["clearing"])


@router.get("", responses=READS)
def get_clearing(_caller: Reader, context: ContextNeeded) -> ClearingView:
    """The owed matrix and the net positions, in points and in money, as of the projection's head."""
    with context.reading() as work:
        return clearing(work)
