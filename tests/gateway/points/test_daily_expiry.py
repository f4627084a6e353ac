"""The worker lets points expire by itself: each brand once a day, a page at a time, nothing twice, and no till waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.coalition.tables import CoalitionRow
from gateway.ledger.lots import expiry_day_for
from gateway.points import run_expiry
from gateway.points.expiry_views import ExpiryRunView, ExpirySums, list_expiry_runs
from gateway.projection.tables import LedgerBrandRow
from gateway.rounds import packing
from gateway.values.calendar import SECONDS_PER_DAY, expiry_date, local_day
from gateway.values.ids import ReservationId
from tests.builders.coalition import CoalitionBuilder, running_coalition
from tests.builders.lot_acts import ended, failing_invariants, held

SHORT, OTHER = 1, 2
MONTH = 1


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[CoalitionBuilder]:
    """Two brands whose points end with the month after the one they are issued in; two members."""
    with running_coalition(tmp_path, brand_ids=()) as builder:
        for brand_id in (SHORT, OTHER):
            builder.add_brand(brand_id, validity_months=MONTH)
        builder.work_off()
        yield builder


def after_the_lots(coalition: CoalitionBuilder, days: int = 0) -> None:
    """To the noon so many days after the first day on which what is issued now has expired."""
    day = expiry_day_for(coalition.now, 0, MONTH) + 1 + days
    coalition.set_time(day * SECONDS_PER_DAY + SECONDS_PER_DAY // 2)


def settled(coalition: CoalitionBuilder) -> None:
    """What follows from what came on the ledger, too."""
    for _ in range(3):
        coalition.work_off()


def runs(coalition: CoalitionBuilder, brand_id: int | None = None) -> list[ExpiryRunView]:
    with coalition.database.read() as session:
        return list_expiry_runs(session, brand_id, None, 50).expiry_runs


def today(coalition: CoalitionBuilder) -> str | None:
    return expiry_date(local_day(coalition.now, 0))


def test_a_day_that_begins_lets_each_brands_expired_points_go(coalition: CoalitionBuilder) -> None:
    (ann, bob) = coalition.member_keys
    coalition.purchase(SHORT, ann, 10_000)
    coalition.purchase(SHORT, bob, 5_000)
    coalition.purchase(OTHER, bob, 2_000)
    settled(coalition)
    assert runs(coalition) == [], "nothing has expired"
    after_the_lots(coalition)
    settled(coalition)
    assert held(coalition, ann, SHORT) == held(coalition, bob, SHORT) == held(coalition, bob, OTHER) == {}
    other, short = runs(coalition)
    assert [(one.brand_id, one.day, one.lots) for one in (short, other)] == [(SHORT, today(coalition), 1), (OTHER, today(coalition), 1)]
    assert (short.confirmed, other.confirmed) == (ExpirySums(2, 150), ExpirySums(1, 20))
    assert short.refused == short.waiting == ExpirySums(0, 0)
    assert short.finished_at is not None
    assert short.started_at <= short.finished_at
    assert failing_invariants(coalition) == {}


def test_a_brand_has_one_run_a_day_and_of_days_that_were_missed_none(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(SHORT, ann, 10_000)
    settled(coalition)
    after_the_lots(coalition, days=5)
    settled(coalition)
    coalition.restart_worker()
    coalition.set_time(coalition.now + 60)
    settled(coalition)
    assert [(one.day, one.confirmed.operations) for one in runs(coalition)] == [(today(coalition), 1)]
    coalition.set_time(coalition.now + SECONDS_PER_DAY)
    settled(coalition)
    assert len(runs(coalition)) == 1, "a day on which nothing has expired has no run"
    assert coalition.expire() == []


def test_a_run_goes_on_by_pages_through_restarts_and_nothing_expires_twice(
    coalition: CoalitionBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_expiry, "EXPIRIES_OF_A_BRAND", 2)
    members = [*coalition.member_keys, *(coalition.add_member() for _ in range(3))]
    coalition.work_off()
    for member in members:
        coalition.purchase(SHORT, member, 1_000)
    settled(coalition)
    after_the_lots(coalition)
    coalition.worker._accept_standing()
    assert runs(coalition)[0].waiting == ExpirySums(2, 20), "a page"
    coalition.restart_worker()
    coalition.worker._accept_standing()
    assert runs(coalition)[0].waiting == ExpirySums(2, 20), "the next page waits until this one has ended"
    assert runs(coalition)[0].finished_at is None
    coalition.work_off()
    coalition.restart_worker()
    settled(coalition)
    [run] = runs(coalition)
    assert (run.confirmed, run.lots) == (ExpirySums(5, 50), 1)
    assert run.finished_at is not None
    assert [status for status, _, _ in ended(coalition, "expire")] == ["confirmed"] * 5


def test_a_day_that_ends_before_its_run_leaves_the_rest_to_the_next(coalition: CoalitionBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_expiry, "EXPIRIES_OF_A_BRAND", 1)
    for member in coalition.member_keys:
        coalition.purchase(SHORT, member, 1_000)
    settled(coalition)
    after_the_lots(coalition)
    coalition.worker._accept_standing()
    coalition.work_off()
    coalition.set_time(coalition.now + SECONDS_PER_DAY)
    settled(coalition)
    second, first = runs(coalition)
    assert (first.confirmed, second.confirmed) == (ExpirySums(1, 10), ExpirySums(1, 10))
    assert None not in (first.finished_at, second.finished_at)


def test_a_till_finds_room_in_every_round_of_a_run(coalition: CoalitionBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_expiry, "EXPIRIES_OF_A_BRAND", 2)
    monkeypatch.setattr(packing, "ENTRIES_MAX", 3)
    (ann, *_) = coalition.member_keys
    for member in [coalition.add_member() for _ in range(6)]:
        coalition.work_off()
        coalition.purchase(SHORT, member, 1_000)
    settled(coalition)
    after_the_lots(coalition)
    coalition.purchase(SHORT, ann, 5_000)
    coalition.work_off()
    went_on = []
    while runs(coalition)[0].finished_at is None:
        paid = coalition.redeem(SHORT, ann, 1)
        coalition.turn_until(lambda paid=paid: coalition.operation(paid).status == "confirmed")  # type: ignore[misc]
        went_on.append(runs(coalition)[0].confirmed.operations)
    assert went_on[-1] == 6
    assert len(went_on) >= 2, "the till paid while the run went on"


def test_what_is_reserved_expires_in_the_run_of_a_later_day(coalition: CoalitionBuilder) -> None:
    (ann, bob) = coalition.member_keys
    coalition.purchase(SHORT, ann, 10_000)
    coalition.purchase(SHORT, bob, 1_000)
    settled(coalition)
    coalition.set_time(expiry_day_for(coalition.now, 0, MONTH) * SECONDS_PER_DAY)
    authorized = coalition.authorize(SHORT, ann, 40, seconds=2 * SECONDS_PER_DAY)
    coalition.work_off()
    coalition.set_time(coalition.now + SECONDS_PER_DAY)
    settled(coalition)
    assert [one.confirmed for one in runs(coalition)] == [ExpirySums(2, 70)]
    reservation_id = coalition.operation(authorized).reservation_id
    assert isinstance(reservation_id, ReservationId)
    coalition.capture(SHORT, reservation_id, 30)
    settled(coalition)
    assert len(runs(coalition)) == 1, "the day's run is through"
    coalition.set_time(coalition.now + SECONDS_PER_DAY)
    settled(coalition)
    assert [one.confirmed for one in runs(coalition)] == [ExpirySums(1, 10), ExpirySums(2, 70)]
    assert failing_invariants(coalition) == {}


def test_a_run_that_finds_everything_reserved_says_so_and_is_through(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(SHORT, ann, 10_000)
    settled(coalition)
    coalition.set_time(expiry_day_for(coalition.now, 0, MONTH) * SECONDS_PER_DAY)
    coalition.authorize(SHORT, ann, 100, seconds=2 * SECONDS_PER_DAY)
    coalition.work_off()
    coalition.set_time(coalition.now + SECONDS_PER_DAY)
    settled(coalition)
    [run] = runs(coalition)
    assert (run.lots, run.confirmed, run.waiting) == (0, ExpirySums(0, 0), ExpirySums(0, 0))
    assert run.finished_at == run.started_at


def test_points_of_a_brand_in_default_are_left_alone(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(SHORT, ann, 10_000)
    settled(coalition)
    with coalition.database.write() as session:
        session.execute(update(LedgerBrandRow).where(LedgerBrandRow.brand_id == SHORT).values(status="in_default"))
    after_the_lots(coalition)
    settled(coalition)
    assert runs(coalition) == []
    with coalition.database.write() as session:
        session.execute(update(LedgerBrandRow).where(LedgerBrandRow.brand_id == SHORT).values(status="active"))


def test_where_time_is_the_worlds_a_day_begins_without_a_block(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    coalition.purchase(SHORT, ann, 10_000)
    settled(coalition)
    midnight = (expiry_day_for(coalition.now, 0, MONTH) + 1) * SECONDS_PER_DAY
    with coalition.database.write() as session:
        session.execute(update(CoalitionRow).values(sandbox=False))
    clock = [midnight - 1]
    coalition.worker._wall_clock = lambda: clock[0]
    coalition.worker._accept_standing()
    assert runs(coalition) == []
    clock[0] = midnight
    coalition.worker._accept_standing()
    assert [(one.day, one.waiting) for one in runs(coalition)] == [(expiry_date(midnight // SECONDS_PER_DAY), ExpirySums(1, 100))]


def test_a_day_without_work_is_looked_at_once(coalition: CoalitionBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr("gateway.points.expiry_rows.SqlExpiryRuns.is_through", lambda _, day: looks.append(day) or True)
    coalition.set_time(coalition.now + SECONDS_PER_DAY)
    for seconds in range(1, 4):
        coalition.set_time(coalition.now + seconds)
        coalition.worker.turn()
    assert looks == [local_day(coalition.now, 0)]
