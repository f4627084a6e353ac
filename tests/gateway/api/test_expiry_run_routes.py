"""GET /v1/expiry-runs: what each day let expire, brand by brand."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from gateway.points.tables import ExpiryRunRow
from gateway.projection.tables import LedgerEntryRow
from gateway.rounds.tables import BatchRow, OperationRow
from tests.builders.offline_coalition import START, OfflineCoalition

DAY = 86_400
FIRST = START + 47 * DAY  # 2017-05-01, when what was issued in March with a month to go has expired


@pytest.fixture
def expiring(coalition: OfflineCoalition) -> OfflineCoalition:
    """Two brands, on the first day on which points of theirs have expired: brand 1's of two members, brand 2's of one."""
    for brand in (1, 2):
        coalition.brand(brand)
    ann, bob = coalition.shopper(1).member_id, coalition.shopper(2).member_id
    coalition.put_points(ann, 30, months=1, reserved=10)
    coalition.put_points(bob, 5, months=1)
    coalition.put_points(bob, 7, brand_id=2, months=1)
    coalition.put_points(ann, 50, months=6)
    coalition.move_time(FIRST)
    return coalition


def run_now(coalition: OfflineCoalition) -> list[str]:
    """The operations that a run has accepted."""
    return [one["operation_id"] for one in coalition.post("operator", "/v1/expiry-runs", {}).json()["operations"]]


def confirm(coalition: OfflineCoalition, operation_id: str, points: int) -> None:
    """As the follower does once the entry, of so many points, is on the ledger."""
    with coalition.database.write() as session:
        row = session.scalars(select(OperationRow).where(OperationRow.operation_id == operation_id)).one()
        batch = BatchRow(brand_id=row.brand_id, number=9, deadline=0, entries=b"", entry_count=1, status="recorded", created_at=FIRST)
        session.add(batch)
        session.flush()
        row.batch_id, row.entry_index, row.status, row.finished_at = batch.batch_id, 0, "confirmed", FIRST + 5
        entry = LedgerEntryRow(position=1, brand_id=row.brand_id, batch_number=9, entry_index=0, kind="expire", points=points, entry=b"")
        entry.block_number, entry.block_timestamp = 2, FIRST + 5
        session.add(entry)


def test_a_run_tells_what_was_confirmed_refused_and_waits(expiring: OfflineCoalition) -> None:
    first, second, _ = run_now(expiring)
    confirm(expiring, first, points=25)
    shown = expiring.get("brand:1", "/v1/expiry-runs/1/2017-05-01").json()
    assert shown == {
        "brand_id": 1,
        "day": "2017-05-01",
        "lots": 1,
        "confirmed": {"operations": 1, "points": 25},
        "refused": {"operations": 0, "points": 0},
        "waiting": {"operations": 1, "points": shown["waiting"]["points"]},
        "reasons": {},
        "started_at": "2017-05-01T00:00:00Z",
        "finished_at": None,
    }
    expiring.finish(second, "refused", "nothing_to_expire")
    shown = expiring.get("brand:1", "/v1/expiry-runs/1/2017-05-01").json()
    assert (shown["refused"]["operations"], shown["waiting"]["operations"], shown["reasons"]) == (1, 0, {"nothing_to_expire": 1})
    assert shown["finished_at"] == "2017-05-01T00:00:05Z"


def test_why_something_waits_is_told(expiring: OfflineCoalition) -> None:
    first, *_ = run_now(expiring)
    with expiring.database.write() as session:
        named = update(OperationRow).where(OperationRow.operation_id == first)
        session.execute(named.values(reason="not_yet: lot_not_expired"))
    shown = expiring.get("auditor", "/v1/expiry-runs/1/2017-05-01").json()
    assert (shown["waiting"]["operations"], shown["reasons"]) == (2, {"not_yet: lot_not_expired": 1})


def test_a_brand_sees_its_own_runs_only(expiring: OfflineCoalition) -> None:
    run_now(expiring)
    seen = {
        who: [one["brand_id"] for one in expiring.get(who, "/v1/expiry-runs").json()["expiry_runs"]]
        for who in ("brand:1", "brand:2", "operator", "auditor")
    }
    assert seen == {"brand:1": [1], "brand:2": [2], "operator": [2, 1], "auditor": [2, 1]}
    assert expiring.get("brand:2", "/v1/expiry-runs/1/2017-05-01").status_code == 404
    assert expiring.get("brand:2", "/v1/expiry-runs/2/2017-05-01").json()["waiting"] == {"operations": 1, "points": 7}


def test_whether_the_day_is_through_is_told_to_each(expiring: OfflineCoalition) -> None:
    def told(who: str) -> tuple[str, bool]:
        page = expiring.get(who, "/v1/expiry-runs").json()
        return page["day"], page["is_through"]

    assert {told(who) for who in ("operator", "brand:1", "brand:2")} == {("2017-05-01", False)}
    expiring.activate(2, "in_default")
    assert (told("operator")[1], told("brand:2")[1]) == (False, True)
    run_now(expiring)
    assert {told(who) for who in ("operator", "brand:1", "brand:2")} == {("2017-05-01", True)}


def test_the_newest_day_comes_first_page_by_page(expiring: OfflineCoalition) -> None:
    with expiring.database.write() as session:
        for day in range(17_300, 17_305):
            for brand_id in (1, 2):
                session.add(ExpiryRunRow(brand_id=brand_id, day=day, lots=0, started_at=FIRST, accepted_at=FIRST))
    seen, cursor = [], ""
    while True:
        page = expiring.get("operator", f"/v1/expiry-runs?limit=3{cursor}").json()
        seen += [(one["day"], one["brand_id"]) for one in page["expiry_runs"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(set(seen)) == 10
    assert seen == sorted(seen, reverse=True)
    assert len(expiring.get("brand:1", "/v1/expiry-runs?limit=5").json()["expiry_runs"]) == 5


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/expiry-runs/1/2017-05-02", 404),
        ("/v1/expiry-runs/9/2017-05-01", 404),
        ("/v1/expiry-runs/1/yesterday", 422),
        ("/v1/expiry-runs/1/2017-02-30", 422),
        ("/v1/expiry-runs/1/1493596800", 422),
        ("/v1/expiry-runs/0/2017-05-01", 422),
        ("/v1/expiry-runs?cursor=x", 422),
        ("/v1/expiry-runs?limit=0", 422),
        ("/v1/expiry-runs?day=2017-05-01", 422),
    ],
)
def test_what_is_not_there_or_cannot_be_is_refused(expiring: OfflineCoalition, path: str, status: int) -> None:
    run_now(expiring)
    assert expiring.get("operator", path).status_code == status
