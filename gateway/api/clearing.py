"""Clearing: who owes whom, and each brand's net position."""

from __future__ import annotations

from gateway.api.context import ContextNeeded
from gateway.api.permissions import AsReader
from gateway.api.problems import READS
from gateway.api.routing import Router
from gateway.brands.rows import SqlBrands
from gateway.clearing.views import ClearingView, clearing
from gateway.coalition.rows import SqlCoalition

router = Router(prefix="/v1/clearing", tags=["clearing"])


@router.get("", responses=READS)
def get_clearing(_caller: AsReader, context: ContextNeeded) -> ClearingView:
    """The owed matrix and the net positions, in points and in money, as of the projection's head."""
    with context.reading() as work:
        return clearing(work.session, work.of(SqlCoalition).facts.currency, brands=work.of(SqlBrands))
