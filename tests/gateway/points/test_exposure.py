"""A brand lets itself be owed so many points of another: what it takes no more of is passed over, and the rest can be spent."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.audit.run import audit
from gateway.ledger.lots import split_lot_id
from gateway.projection.tables import LedgerMovementRow
from gateway.values.errors import NotEnoughPoints
from tests.builders.coalition import CoalitionBuilder, running_coalition


def points_taken(coalition: CoalitionBuilder) -> list[tuple[int, int]]:
    """(issuer, points) of everything redeemed, in its order."""
    with coalition.database.read() as session:
        moved = session.query(LedgerMovementRow).where(LedgerMovementRow.held_delta < 0).order_by(LedgerMovementRow.position).all()
        return [(split_lot_id(each.lot_id)[0], -each.held_delta) for each in moved]


def redeem(coalition: CoalitionBuilder, brand_id: int, *asked: tuple[object, int]) -> list[tuple[str, str | None]]:
    """In one round; what became of each."""
    operations = [coalition.redeem(brand_id, member, points) for member, points in asked]
    coalition.work_off()
    return [(row.status, row.reason) for row in map(coalition.operation, operations)]


def test_a_rogue_issuer_and_a_used_up_exposure_stop_no_redemption(tmp_path: Path) -> None:
    with running_coalition(tmp_path, members=2) as coalition:
        ann, bob = coalition.member_keys
        coalition.purchase(1, ann, 100_000)  # 1,000 points
        coalition.purchase(1, bob, 100_000)
        coalition.work_off()
        coalition.add_brand(3, validity_months=1)  # nobody lets itself be owed anything of it
        coalition.work_off()
        coalition.purchase(3, ann, 100)  # one point, which expires first
        coalition.work_off()
        for brand_id in (2, 1):
            assert redeem(coalition, brand_id, (ann, 200)) == [("confirmed", None)]
        assert points_taken(coalition) == [(1, 200), (1, 200)]
        assert redeem(coalition, 3, (ann, 1)) == [("confirmed", None)], "its issuer takes it"

        coalition.expose(2, 1, 300)  # of which 200 are used up
        coalition.work_off()
        coalition.set_time(coalition.now + 40 * 86_400)
        coalition.purchase(2, ann, 50_000)  # these expire later
        coalition.purchase(2, bob, 50_000)
        coalition.work_off()
        assert redeem(coalition, 2, (ann, 70), (bob, 70)) == [("confirmed", None)] * 2
        assert points_taken(coalition)[3:] in ([(1, 70), (1, 30), (2, 40)], [(1, 70), (2, 40), (1, 30)])
        assert redeem(coalition, 2, (bob, 60)) == [("confirmed", None)]
        assert points_taken(coalition)[-1] == (2, 60)
        with pytest.raises(NotEnoughPoints, match="500 points asked for, 400 available at brand 2, which lets itself be owed no more"):
            coalition.redeem(2, bob, 500)
        report = audit(coalition.database, coalition.chain, lambda: coalition.now)
        assert report.failed == [], report.as_json()["findings"]
