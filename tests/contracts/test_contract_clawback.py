"""Clawback and restore entries: a brand takes back what an issue of its own gave, shown from the ledger's record, and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from eth_keys import keys
from eth_utils import keccak

from gateway.ledger.entries import Authorize, Clawback, Issue, Opening, Restore, encode_entry
from gateway.ledger.issue_parts import ShownIssue
from gateway.ledger.lots import Line, grace_expiry_day, lot_id
from gateway.ledger.refusals import SELECTORS, RefusalReason
from gateway.values.calendar import local_day, month_end
from tests.builders.issues import BASIS, OPENING_BASIS
from tests.builders.points_ledger import UTC_OFFSET_SECONDS, PointsLedger, member_named

GROCER, FUEL = 1, 2
A_DAY = 86_400
NONE = bytes(32)
BOB = member_named("bob")
OF_ANN, OF_FUEL = 1, 2  # numbers of the batches in which ann got her points


@pytest.fixture
def line(expiry_day: int) -> Line:
    return Line(GROCER, expiry_day, 400)


@pytest.fixture
def clawback(ledger: PointsLedger, ann: bytes, line: Line) -> Clawback:
    return ledger.clawback(GROCER, ann, line, number=OF_ANN)


def taken_of(ledger: PointsLedger, brand: int, number: int, index: int = 0) -> tuple[bytes, int]:
    member, points, _ = ledger.view("clawed", brand << 96 | number << 32 | index)
    return bytes.fromhex(member[2:]), points


def latest_day_of(ledger: PointsLedger, brand: int, number: int, index: int = 0) -> int:
    return int(ledger.view("clawed", brand << 96 | number << 32 | index)[2])


def test_a_clawback_takes_points_of_the_issue_that_it_shows(ledger: PointsLedger, ann: bytes, expiry_day: int, clawback: Clawback) -> None:
    assert ledger.submit(GROCER, [clawback]) == []
    assert ledger.held(ann, GROCER, expiry_day) == (600, 0)
    assert ledger.outstanding(GROCER) == ledger.view("outstandingOfLot", lot_id(GROCER, expiry_day)) == 600
    assert taken_of(ledger, GROCER, OF_ANN) == (ann, 400)


def test_never_more_is_taken_than_the_issue_gave(ledger: PointsLedger, ann: bytes, expiry_day: int, clawback: Clawback) -> None:
    """Whatever else the member has: also in the very same batch, and of another lot."""
    assert ledger.submit(GROCER, [Issue(ann, 0, 5_000, BASIS, NONE)]) == []
    whole = replace(clawback, lines=(Line(GROCER, expiry_day, 400), Line(GROCER, 0, 600)))
    more = replace(clawback, lines=(Line(GROCER, 0, 1),))
    too_much = replace(clawback, lines=(Line(GROCER, 0, 1_001),))
    assert ledger.submit(GROCER, [too_much, whole, more]) == [(0, RefusalReason.TOO_MANY_POINTS), (2, RefusalReason.TOO_MANY_POINTS)]
    assert ledger.submit(GROCER, [more]) == [(0, RefusalReason.TOO_MANY_POINTS)]
    assert taken_of(ledger, GROCER, OF_ANN) == (ann, 1_000)


def test_what_could_not_be_taken_may_be_taken_later(ledger: PointsLedger, ann: bytes, line: Line, clawback: Clawback) -> None:
    rest = replace(clawback, lines=(replace(line, points=600),))
    assert ledger.submit(GROCER, [clawback, rest]) == []
    assert taken_of(ledger, GROCER, OF_ANN) == (ann, 1_000)


def test_a_clawback_of_an_opening_is_as_one_of_an_issue(ledger: PointsLedger, ann: bytes) -> None:
    assert ledger.submit(GROCER, [Opening(ann, 0, 70, OPENING_BASIS, NONE)], number=9) == []
    entries = [ledger.clawback(GROCER, ann, Line(GROCER, 0, points), number=9) for points in (71, 70)]
    assert ledger.submit(GROCER, [Issue(ann, 0, 100, BASIS, NONE), *entries]) == [(1, RefusalReason.TOO_MANY_POINTS)]


def test_a_clawback_of_another_brands_points_is_refused(ledger: PointsLedger, clawback: Clawback, line: Line) -> None:
    entry = replace(clawback, lines=(Line(FUEL, 0, 1), replace(line, points=1)))
    assert ledger.submit(GROCER, [entry]) == [(0, RefusalReason.NOT_OWN_LOT)]


def test_a_clawback_beyond_what_the_lot_holds_takes_nothing(ledger: PointsLedger, ann: bytes, expiry_day: int, clawback: Clawback) -> None:
    entries = [replace(clawback, lines=(Line(GROCER, expiry_day, 600), Line(GROCER, 0, 1))), replace(clawback, lines=(Line(GROCER, 0, 0),))]
    assert ledger.submit(GROCER, entries) == [(0, RefusalReason.NOT_ENOUGH_POINTS), (1, RefusalReason.ZERO_POINTS)]
    assert ledger.held(ann, GROCER, expiry_day) == (1_000, 0)
    assert taken_of(ledger, GROCER, OF_ANN) == (bytes(20), 0)


def test_reserved_points_are_not_clawed_back(
    ledger: PointsLedger, ann: bytes, expiry_day: int, ann_key: keys.PrivateKey, clawback: Clawback
) -> None:
    ledger.submit(FUEL, [ledger.consented(Authorize, FUEL, ann, [Line(GROCER, expiry_day, 300)], key=ann_key)])
    entries = [replace(clawback, lines=(Line(GROCER, expiry_day, points),)) for points in (701, 700)]
    assert ledger.submit(GROCER, entries) == [(0, RefusalReason.NOT_ENOUGH_POINTS)]
    assert ledger.held(ann, GROCER, expiry_day) == (300, 300)


HOSTILE: dict[str, Callable[[ShownIssue], ShownIssue]] = {
    "a batch that was never": lambda shown: replace(shown, number=99),
    "another index": lambda shown: replace(shown, index=shown.index + 1),
    "an index beyond the batch": lambda shown: replace(shown, index=shown.entry_count),
    "another count": lambda shown: replace(shown, entry_count=shown.entry_count + 1),
    "a count of none": lambda shown: replace(shown, entry_count=0),
    "a node left out": lambda shown: replace(shown, branch=shown.branch[:-1]),
    "a node too many": lambda shown: replace(shown, branch=(*shown.branch, NONE)),
    "nodes in another order": lambda shown: replace(shown, branch=shown.branch[::-1]),
    "another node": lambda shown: replace(shown, branch=(NONE, *shown.branch[1:])),
    "no branch": lambda shown: replace(shown, branch=()),
    "a refusal left out": lambda shown: replace(shown, refusals=shown.refusals[1:]),
    "a refusal made up": lambda shown: replace(shown, refusals=(*shown.refusals, (300, SELECTORS[RefusalReason.ZERO_POINTS]))),
    "a huge list of refusals": lambda shown: replace(shown, refusals=shown.refusals * 1_500),
    "an entry with more points": lambda shown: replace(shown, entry=shown.entry[:25] + b"\xff" * 8 + shown.entry[33:]),
    "an entry for another member": lambda shown: replace(shown, entry=shown.entry[:1] + BOB + shown.entry[21:]),
    "an entry cut short": lambda shown: replace(shown, entry=shown.entry[:-1]),
    "no entry": lambda shown: replace(shown, entry=b""),
}


@pytest.fixture
def large(ledger: PointsLedger, ann: bytes) -> int:
    """The number of a batch of 300 entries, three levels high: issues to ann apart from two that are refused."""
    issues = [Issue(ann, 0, 10 + place, BASIS, place.to_bytes(32)) for place in range(300)]
    issues[3], issues[290] = replace(issues[3], points=0), replace(issues[290], member=bytes(20))
    assert [index for index, _ in ledger.submit(GROCER, issues, number=50)] == [3, 290]
    return 50


@pytest.mark.parametrize("index", [0, 15, 16, 255, 256, 288, 299])
def test_an_issue_anywhere_in_a_large_batch_is_shown_by_its_branch(ledger: PointsLedger, ann: bytes, large: int, index: int) -> None:
    entries = [ledger.clawback(GROCER, ann, Line(GROCER, 0, points), number=large, index=index) for points in (11 + index, 10 + index)]
    assert ledger.submit(GROCER, entries) == [(0, RefusalReason.TOO_MANY_POINTS)]
    assert taken_of(ledger, GROCER, large, index) == (ann, 10 + index)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_does_not_lead_to_the_record_shows_no_issue(ledger: PointsLedger, ann: bytes, large: int, hostile: str) -> None:
    clawback = ledger.clawback(GROCER, ann, Line(GROCER, 0, 1), number=large, index=20)
    assert ledger.submit(GROCER, [replace(clawback, issue=HOSTILE[hostile](clawback.issue))]) == [(0, RefusalReason.UNKNOWN_ISSUE)]
    assert ledger.submit(GROCER, [clawback]) == []


@pytest.mark.parametrize("index", [3, 290])
def test_an_issue_that_was_refused_gave_nothing_to_take_back(ledger: PointsLedger, ann: bytes, large: int, index: int) -> None:
    clawback = ledger.clawback(GROCER, ann, Line(GROCER, 0, 1), number=large, index=index)
    assert ledger.submit(GROCER, [clawback]) == [(0, RefusalReason.ISSUE_REFUSED)]


def test_a_clawback_names_an_issue_of_this_member(ledger: PointsLedger, ann: bytes, expiry_day: int, clawback: Clawback) -> None:
    """Not one of another member, and not an entry of another kind, even if it names her in the same place."""
    assert ledger.submit(GROCER, [Issue(BOB, expiry_day, 50, BASIS, NONE)]) == []
    assert ledger.submit(GROCER, [clawback], number=7) == []
    of_clawback = ledger.clawback(GROCER, ann, Line(GROCER, expiry_day, 1), number=7)
    entries = [replace(clawback, member=BOB, lines=(Line(GROCER, expiry_day, 1),)), of_clawback]
    assert ledger.submit(GROCER, entries) == [(0, RefusalReason.NOT_THIS_MEMBERS_ISSUE), (1, RefusalReason.NOT_THIS_MEMBERS_ISSUE)]


def test_a_clawback_names_an_issue_of_the_brand_itself(ledger: PointsLedger, ann: bytes, expiry_day: int, clawback: Clawback) -> None:
    of_fuel = ledger.clawback(FUEL, ann, Line(GROCER, expiry_day, 1), number=OF_FUEL)
    assert ledger.submit(GROCER, [of_fuel]) == [(0, RefusalReason.UNKNOWN_ISSUE)]
    assert ledger.submit(FUEL, [replace(clawback, lines=(Line(FUEL, 0, 1),))]) == [(0, RefusalReason.UNKNOWN_ISSUE)]


def test_an_issue_of_the_same_batch_is_not_on_record_yet(ledger: PointsLedger, ann: bytes) -> None:
    issue = encode_entry(Issue(ann, 0, 10, BASIS, NONE))
    other = ledger.clawback(GROCER, ann, Line(GROCER, 0, 5), number=OF_ANN)
    shown = ShownIssue(77, 0, 2, (), (keccak(b"whatever comes second"),), issue)
    assert ledger.submit(GROCER, [issue, replace(other, issue=shown)], number=77) == [(1, RefusalReason.UNKNOWN_ISSUE)]


@pytest.mark.parametrize("place", [69, 73, 105])
@pytest.mark.parametrize("length", [b"\xff\xff", b"\0\1"])
def test_a_length_that_leads_elsewhere_is_malformed(ledger: PointsLedger, clawback: Clawback, place: int, length: bytes) -> None:
    """Of the refusals, the branch and the issue: of a batch of one entry they stand at 69, 73 and 75, the last here as its content."""
    packed = encode_entry(clawback)
    bad = packed[:place] + length + packed[place + 2 :]
    expected = RefusalReason.UNKNOWN_ISSUE if place == 105 else RefusalReason.MALFORMED_ENTRY
    assert ledger.submit(GROCER, [bad]) == [(0, expected)]


def test_a_clawback_cut_short_anywhere_is_malformed(ledger: PointsLedger, clawback: Clawback) -> None:
    packed = encode_entry(clawback)
    cuts = [packed[:length] for length in range(30, len(packed), 3)]
    assert ledger.submit(GROCER, cuts) == [(index, RefusalReason.MALFORMED_ENTRY) for index in range(len(cuts))]


# Restore


def soonest(ledger: PointsLedger) -> int:
    return month_end(local_day(ledger.now, UTC_OFFSET_SECONDS))


def restore(clawback: Clawback, *lines: Line, **other: object) -> Restore:
    made = Restore(clawback.member, keccak(text="refund failed"), clawback.issue.number, clawback.issue.index, lines)
    return replace(made, **other)  # type: ignore[arg-type]


def test_what_was_taken_is_given_back_and_no_more(ledger: PointsLedger, ann: bytes, line: Line, clawback: Clawback) -> None:
    assert ledger.submit(GROCER, [clawback]) == []
    entries = [restore(clawback, replace(line, points=points)) for points in (401, 300, 101, 100, 1)]
    assert ledger.submit(GROCER, entries) == [(place, RefusalReason.TOO_MANY_POINTS) for place in (0, 2, 4)]
    assert ledger.held(ann, GROCER, line.expiry_day) == (1_000, 0)
    assert ledger.outstanding(GROCER) == 1_000
    assert taken_of(ledger, GROCER, OF_ANN) == (ann, 0)
    assert ledger.submit(GROCER, [clawback]) == [], "what was given back may be taken again"


def test_what_goes_back_ends_no_sooner_than_what_was_taken(ledger: PointsLedger, ann: bytes, line: Line, clawback: Clawback) -> None:
    """Or a batch key alone could shorten what a member has earned, and let it expire."""
    soon = replace(line, expiry_day=soonest(ledger))
    later = replace(line, expiry_day=month_end(line.expiry_day + 1), points=1)
    assert ledger.submit(GROCER, [clawback, restore(clawback, soon), restore(clawback, replace(line, points=1), soon)]) == [
        (1, RefusalReason.LOT_NOT_LATER),
        (2, RefusalReason.LOT_NOT_LATER),
    ]
    assert ledger.submit(GROCER, [restore(clawback, replace(line, points=398), later, Line(GROCER, 0, 1))]) == []
    assert ledger.held(ann, GROCER, soon.expiry_day) == (0, 0)


def test_of_several_lots_the_last_to_end_counts_whoever_came_first(ledger: PointsLedger, ann: bytes, line: Line) -> None:
    soon = soonest(ledger)
    assert ledger.submit(GROCER, [Issue(ann, soon, 50, BASIS, NONE), Issue(ann, 0, 50, BASIS, NONE)]) == []
    for days in ((soon, line.expiry_day), (line.expiry_day, soon), (soon, 0), (0, line.expiry_day)):
        latest = 0 if 0 in days else line.expiry_day
        both = ledger.clawback(GROCER, ann, *(Line(GROCER, day, 5) for day in days), number=OF_ANN)
        each = [ledger.clawback(GROCER, ann, Line(GROCER, day, 5), number=OF_ANN) for day in days]
        for taking in ([both], each):
            assert ledger.submit(GROCER, taking) == []
            assert taken_of(ledger, GROCER, OF_ANN) == (ann, 10)
            assert latest_day_of(ledger, GROCER, OF_ANN) == latest
            early = [restore(both, Line(GROCER, day, 1)) for day in days if day != latest]
            assert ledger.submit(GROCER, early) == [(place, RefusalReason.LOT_NOT_LATER) for place in range(len(early))]
            assert ledger.submit(GROCER, [restore(both, Line(GROCER, latest, 10))]) == []
            for day in days:  # as it was, for the next
                if day != latest:
                    assert ledger.submit(GROCER, [Issue(ann, day, 5, BASIS, NONE)]) == []


def test_what_was_given_back_in_full_says_nothing_of_what_is_taken_next(ledger: PointsLedger, ann: bytes, line: Line) -> None:
    soon = soonest(ledger)
    assert ledger.submit(GROCER, [Issue(ann, soon, 50, BASIS, NONE)]) == []
    long, short = (ledger.clawback(GROCER, ann, Line(GROCER, day, 5), number=OF_ANN) for day in (line.expiry_day, soon))
    whole = restore(long, Line(GROCER, line.expiry_day, 5))
    assert ledger.submit(GROCER, [long, whole, short, restore(short, Line(GROCER, soon, 5))]) == []


def test_a_restore_is_not_held_to_the_limit(ledger: PointsLedger, line: Line, clawback: Clawback) -> None:
    assert ledger.submit(GROCER, [clawback]) == []
    ledger.set_limit(GROCER, 100)
    assert ledger.submit(GROCER, [restore(clawback, line)]) == []


def test_restored_points_of_an_expired_lot_get_the_grace_lot(ledger: PointsLedger, ann: bytes, line: Line, clawback: Clawback) -> None:
    assert ledger.submit(GROCER, [clawback]) == []
    ledger.chain.set_time((line.expiry_day + 1) * A_DAY)
    grace = grace_expiry_day(ledger.now, UTC_OFFSET_SECONDS)
    assert ledger.submit(GROCER, [restore(clawback, line)]) == []
    assert ledger.held(ann, GROCER, grace) == (400, 0)


def test_a_restore_refuses_what_was_not_taken_of_this_member(ledger: PointsLedger, line: Line, clawback: Clawback) -> None:
    nothing_taken = restore(clawback, line)
    assert ledger.submit(GROCER, [nothing_taken, clawback, replace(nothing_taken, member=BOB)]) == [
        (0, RefusalReason.UNKNOWN_ISSUE),
        (2, RefusalReason.NOT_THIS_MEMBERS_ISSUE),
    ]
    for other in (restore(clawback, line, number=2), restore(clawback, line, index=1)):
        assert ledger.submit(GROCER, [other]) == [(0, RefusalReason.UNKNOWN_ISSUE)]
    assert ledger.submit(FUEL, [restore(clawback, Line(FUEL, 0, 1))]) == [(0, RefusalReason.UNKNOWN_ISSUE)]


def test_a_restore_makes_no_lot_that_an_issue_could_not_make(ledger: PointsLedger, line: Line, clawback: Clawback) -> None:
    bad = [replace(line, brand_id=FUEL), replace(line, points=0), replace(line, expiry_day=line.expiry_day + 1)]
    assert ledger.submit(GROCER, [clawback, *(restore(clawback, each) for each in bad)]) == [
        (1, RefusalReason.NOT_OWN_LOT),
        (2, RefusalReason.ZERO_POINTS),
        (3, RefusalReason.EXPIRY_NOT_MONTH_END),
    ]


def test_a_restore_cut_short_or_too_long_is_malformed(ledger: PointsLedger, line: Line, clawback: Clawback) -> None:
    packed = encode_entry(restore(clawback, line))
    entries = [packed[:-1], packed + b"\0", packed[:65]]
    assert ledger.submit(GROCER, entries) == [(index, RefusalReason.MALFORMED_ENTRY) for index in range(3)]
