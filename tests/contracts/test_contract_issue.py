"""Issue entries on the real contract: points appear for the member, within the brand's limit, in month-end lots."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.ledger.entries import Issue, Opening, encode_entry
from gateway.ledger.lots import MAX_POINTS, lot_id
from gateway.ledger.refusals import RefusalReason
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.builders.points_ledger import PointsLedger, address_of, member_named

GROCER, FUEL = 1, 2
BOB = member_named("bob")
A_DAY = 86_400


@pytest.fixture
def issue(expiry_day: int) -> Issue:
    return Issue(BOB, expiry_day, 100, BASIS, b"\x07" * 32)


def test_points_are_issued_to_a_member_not_yet_enrolled(ledger: PointsLedger, issue: Issue) -> None:
    assert ledger.submit(GROCER, [issue]) == []
    lot = lot_id(GROCER, issue.expiry_day)
    assert ledger.held(BOB, GROCER, issue.expiry_day) == (100, 0)
    assert ledger.view("balanceOf", BOB, lot) == 100
    assert ledger.outstanding(GROCER) == ledger.view("outstandingOfLot", lot) == 100


def test_an_issue_shows_as_an_erc1155_transfer_from_nobody(ledger: PointsLedger, issue: Issue) -> None:
    ledger.submit(GROCER, [issue])
    transfer, recorded = ledger.events(ledger.last_outcome)
    assert transfer.name == "TransferSingle"
    assert bytes.fromhex(transfer.values["operator"][2:]) == address_of(ledger.chain.operator)
    assert bytes.fromhex(transfer.values["from"][2:]) == bytes(20)
    assert bytes.fromhex(transfer.values["to"][2:]) == BOB
    assert (transfer.values["id"], transfer.values["value"]) == (lot_id(GROCER, issue.expiry_day), 100)
    assert recorded.name == "BatchRecorded"
    assert (recorded.values["entryCount"], recorded.values["refusedCount"]) == (1, 0)


def test_a_long_run_of_issues_counts_each_of_them(ledger: PointsLedger, issue: Issue) -> None:
    other_lot = replace(issue, expiry_day=0)
    batch = [issue] * 20 + [other_lot] * 3 + [issue, other_lot] * 4 + [issue] * 5
    assert ledger.submit(GROCER, batch) == []
    assert ledger.held(BOB, GROCER, issue.expiry_day) == (2_900, 0)
    assert ledger.held(BOB, GROCER) == (700, 0)
    assert ledger.outstanding(GROCER) == 3_600
    assert ledger.view("outstandingOfLot", lot_id(GROCER, 0)) == 700
    assert len(ledger.events(ledger.last_outcome)) == len(batch) + 1


def test_bad_issues_inside_a_run_are_skipped_alone(ledger: PointsLedger, issue: Issue) -> None:
    ledger.set_limit(GROCER, 1_000)
    bad = [replace(issue, points=0), replace(issue, member=bytes(20)), replace(issue, points=MAX_POINTS)]
    entries: list[Issue | bytes] = [issue, issue, bad[0], issue, bad[1], issue, bad[2], issue, encode_entry(issue)[:-1]]
    assert ledger.submit(GROCER, [*entries, *[issue] * 6]) == [
        (2, RefusalReason.ZERO_POINTS),
        (4, RefusalReason.ZERO_MEMBER),
        (6, RefusalReason.LIMIT_EXCEEDED),
        (8, RefusalReason.MALFORMED_ENTRY),
        (14, RefusalReason.LIMIT_EXCEEDED),
    ]
    assert ledger.outstanding(GROCER) == 1_000


def test_zero_points_and_the_zero_member_are_refused(ledger: PointsLedger, issue: Issue) -> None:
    zero_points, zero_member = replace(issue, points=0), replace(issue, member=bytes(20))
    assert ledger.submit(GROCER, [zero_points, zero_member]) == [(0, RefusalReason.ZERO_POINTS), (1, RefusalReason.ZERO_MEMBER)]
    assert ledger.outstanding(GROCER) == 0


def test_a_brand_issues_up_to_its_limit_and_not_one_point_beyond(ledger: PointsLedger, issue: Issue) -> None:
    ledger.set_limit(GROCER, 250)
    batch = [issue, issue, replace(issue, points=51), replace(issue, points=50), replace(issue, points=1)]
    assert ledger.submit(GROCER, batch) == [(2, RefusalReason.LIMIT_EXCEEDED), (4, RefusalReason.LIMIT_EXCEEDED)]
    assert ledger.outstanding(GROCER) == 250


def test_a_limit_lowered_below_what_is_outstanding_stops_issues(ledger: PointsLedger, issue: Issue) -> None:
    assert ledger.submit(GROCER, [issue]) == []
    ledger.set_limit(GROCER, 10)
    assert ledger.submit(GROCER, [replace(issue, points=1)]) == [(0, RefusalReason.LIMIT_EXCEEDED)]
    ledger.set_limit(GROCER, 101)
    assert ledger.submit(GROCER, [replace(issue, points=1)]) == []


def test_the_largest_numbers_do_not_overflow(ledger: PointsLedger, issue: Issue) -> None:
    ledger.set_limit(GROCER, 2**96 - 1)
    largest = replace(issue, points=MAX_POINTS)
    assert ledger.submit(GROCER, [largest] * 3) == []
    assert ledger.held(BOB, GROCER, issue.expiry_day) == (3 * MAX_POINTS, 0)
    assert ledger.outstanding(GROCER) == 3 * MAX_POINTS


def test_a_lot_ends_on_a_month_end_or_never(ledger: PointsLedger, issue: Issue) -> None:
    a_day_off = replace(issue, expiry_day=issue.expiry_day + 1)
    assert ledger.submit(GROCER, [a_day_off, replace(issue, expiry_day=0), issue]) == [(0, RefusalReason.EXPIRY_NOT_MONTH_END)]


def test_the_contracts_calendar_is_the_worlds(ledger: PointsLedger, issue: Issue) -> None:
    """Each day of four years and each February's end of four centuries."""
    four_years = [date(2028, 1, 1) + timedelta(days) for days in range(4 * 365 + 1)]
    februaries = [date(year, 3, 1) - timedelta(days) for year in range(2032, 2432) for days in range(3)]
    days = four_years + februaries
    for first in range(0, len(days), 300):
        some = days[first : first + 300]
        refused = ledger.submit(GROCER, [replace(issue, expiry_day=(day - date(1970, 1, 1)).days, points=1) for day in some])
        expected = [index for index, day in enumerate(some) if (day + timedelta(1)).day != 1]
        assert refused == [(index, RefusalReason.EXPIRY_NOT_MONTH_END) for index in expected]


def test_points_are_issued_into_a_lot_until_its_last_local_second(ledger: PointsLedger, issue: Issue) -> None:
    last_second = (issue.expiry_day + 1) * A_DAY - 3_600 - 1  # the coalition is an hour ahead of UTC
    ledger.chain.set_time(last_second)
    assert ledger.submit(GROCER, [issue]) == []
    assert ledger.now == last_second + 1
    assert ledger.submit(GROCER, [issue]) == [(0, RefusalReason.LOT_EXPIRED)]


def test_an_opening_gives_points_as_an_issue_does_and_is_checked_like_one(ledger: PointsLedger, issue: Issue) -> None:
    ledger.set_limit(GROCER, 250)
    opening = Opening(issue.member, issue.expiry_day, issue.points, OPENING_BASIS, issue.reference)
    bad = {
        RefusalReason.ZERO_MEMBER: replace(opening, member=bytes(20)),
        RefusalReason.ZERO_POINTS: replace(opening, points=0),
        RefusalReason.EXPIRY_NOT_MONTH_END: replace(opening, expiry_day=issue.expiry_day + 1),
        RefusalReason.LOT_EXPIRED: replace(opening, expiry_day=10_956),
        RefusalReason.LIMIT_EXCEEDED: replace(opening, points=51),
    }
    entries = [opening, issue, *bad.values(), encode_entry(opening)[:-1], replace(opening, points=50)]
    expected = [*bad, RefusalReason.MALFORMED_ENTRY]
    assert ledger.submit(GROCER, entries) == list(enumerate(expected, 2))
    assert ledger.held(BOB, GROCER, issue.expiry_day) == (250, 0)
    assert ledger.outstanding(GROCER) == 250


def test_a_brand_issues_its_own_points_only(ledger: PointsLedger, issue: Issue) -> None:
    ledger.submit(FUEL, [issue])
    assert ledger.held(BOB, FUEL, issue.expiry_day) == (100, 0)
    assert ledger.held(BOB, GROCER, issue.expiry_day) == (0, 0)
