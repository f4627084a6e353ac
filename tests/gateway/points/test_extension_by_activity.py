"""Activity keeps points alive, at brands that promise it: never earlier, never what has expired, never without a sale or an order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ledger.lots import expiry_day_for
from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.builders.lot_acts import ended, failing_invariants, held, promise_extensions, settle_on

DAY = 86_400


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path, brand_ids=(1, 2)) as builder:
        yield builder


def pass_days(coalition: CoalitionBuilder, days: int) -> None:
    coalition.set_time(coalition.now + days * DAY)


def settled(coalition: CoalitionBuilder) -> None:
    """What follows from what came on the ledger, too."""
    coalition.work_off()
    coalition.work_off()


def test_a_purchase_moves_earlier_lots_of_the_brand_to_the_expiry_that_it_earns(coalition: CoalitionBuilder) -> None:
    (ann, bob) = coalition.member_keys
    promise_extensions(coalition, 1)
    settle_on(coalition, 1, extends_by_activity=True)
    for member, brand in ((ann, 1), (ann, 2), (bob, 1)):
        coalition.purchase(brand, member, 10_000)
    settled(coalition)
    first = expiry_day_for(coalition.now, 0, 12)
    assert (held(coalition, ann, 1), ended(coalition, "extend")) == ({first: 100}, [])
    pass_days(coalition, 40)
    coalition.purchase(1, ann, 5_000)
    settled(coalition)
    later = expiry_day_for(coalition.now, 0, 12)
    assert held(coalition, ann, 1) == {later: 150}
    assert (held(coalition, ann, 2), held(coalition, bob, 1)) == ({first: 100}, {first: 100})
    settled(coalition)
    assert ended(coalition, "extend") == [("confirmed", None, 100)]
    assert failing_invariants(coalition) == {}


def test_paying_with_points_keeps_the_rest_alive(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    promise_extensions(coalition, 1)
    settle_on(coalition, 1, extends_by_activity=True)
    coalition.purchase(1, ann, 10_000)
    settled(coalition)
    pass_days(coalition, 40)
    coalition.redeem(1, ann, 30)
    settled(coalition)
    assert held(coalition, ann, 1) == {expiry_day_for(coalition.now, 0, 12): 70}


def test_what_has_expired_stays_expired(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    promise_extensions(coalition, 1)
    settle_on(coalition, 1, extends_by_activity=True)
    coalition.purchase(1, ann, 10_000)
    settled(coalition)
    pass_days(coalition, 500)
    coalition.purchase(1, ann, 5_000)
    settled(coalition)
    assert held(coalition, ann, 1) == {expiry_day_for(coalition.now, 0, 12): 50}
    assert (ended(coalition, "extend"), ended(coalition, "expire")) == ([], [("confirmed", None, 100)])


def test_a_brand_that_promises_nothing_extends_nothing_and_activity_before_the_promise_does_not_count(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    promise_extensions(coalition, 1)
    coalition.purchase(1, ann, 10_000)
    settled(coalition)
    first = expiry_day_for(coalition.now, 0, 12)
    pass_days(coalition, 40)
    coalition.purchase(1, ann, 5_000)
    settled(coalition)
    settle_on(coalition, 1, extends_by_activity=True)
    settled(coalition)
    assert held(coalition, ann, 1)[first] == 100
    assert ended(coalition, "extend") == []


def test_a_signer_whose_brand_promised_nothing_does_not_sign_it(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    settle_on(coalition, 1, extends_by_activity=True)
    coalition.purchase(1, ann, 10_000)
    settled(coalition)
    pass_days(coalition, 40)
    coalition.purchase(1, ann, 5_000)
    settled(coalition)
    assert ended(coalition, "extend") == [("refused", "signer_refused: no_extension_promised", 100)]
