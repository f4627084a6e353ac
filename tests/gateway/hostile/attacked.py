"""What tests of hostile signers do to a coalition, and what they look at."""

from __future__ import annotations

from sqlalchemy import update

from gateway.brands.tables import BrandRow
from tests.builders.coalition import CoalitionBuilder

QUESTION_SECONDS = 1.0


def point_at(coalition: CoalitionBuilder, brand_id: int, url: str) -> None:
    """Whoever listens there is asked to sign for the brand."""
    with coalition.database.write() as session:
        session.execute(update(BrandRow).where(BrandRow.brand_id == brand_id).values(signer_url=url))


def status_of(coalition: CoalitionBuilder, operation_id: str) -> str:
    return coalition.operation(operation_id).status


def said_of(coalition: CoalitionBuilder, brand_id: int) -> str:
    """Why the brand's signer did not answer last; nothing where it did."""
    return str(coalition.worker.health()["silent_signers"].get(str(brand_id), ""))  # type: ignore[attr-defined]


def confirm(coalition: CoalitionBuilder, operation_id: str, seconds: float = 10) -> None:
    coalition.turn_until(lambda: status_of(coalition, operation_id) == "confirmed", seconds)
