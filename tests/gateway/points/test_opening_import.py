"""Balances of an earlier programme become points once, as the brand's own signer finds them in the file that it was given itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from gateway.values.errors import Invalid, LimitExceeded, ReferenceReused
from gateway.values.ids import MemberId
from tests.builders.coalition import ISSUE_LIMIT, CoalitionBuilder, running_coalition
from tests.builders.lot_acts import ended, failing_invariants, hand_over_file, held, member_of_later, open_points, opening, terms

END_OF_MARCH_2027 = 20_908
NOBODY = MemberId(b"\x0e" * 20)


@pytest.fixture
def coalition(tmp_path: Path) -> Iterator[CoalitionBuilder]:
    with running_coalition(tmp_path, brand_ids=(1,)) as builder:
        yield builder


def file_of(*lines: str) -> bytes:
    return ("member_id,balance,expires_on\n" + "".join(line + "\n" for line in lines)).encode()


def test_a_file_becomes_points_and_every_line_is_told(coalition: CoalitionBuilder) -> None:
    ann, bob = coalition.member_keys
    lines = f"{ann},101,2027-03-15", f"{bob},7,", f"{NOBODY},40,2027-03-15"
    unusable = f"{ann},1,2027-04-01", f"{bob},many,2027-03-15", f"{ann},5,2027-03-02"
    content = file_of(*lines, *unusable)
    on = terms(expires_on=date(2027, 3, 31))
    hand_over_file(coalition, 1, content, on)
    view = open_points(coalition, 1, content, on)
    coalition.work_off()
    view = opening(coalition, view.opening_file_id)
    assert held(coalition, ann, 1) == {END_OF_MARCH_2027: 50}
    assert held(coalition, bob, 1) == {END_OF_MARCH_2027: 3}
    assert {name: (one.lines, one.units, one.points) for name, one in view.states.items() if one.lines} == {
        "confirmed": (2, 108, 53),
        "waiting": (1, 40, 20),
        "unusable": (3, 0, 0),
    }
    assert view.units * view.ratio_points == view.points * view.ratio_units + view.rounded_off == 148
    assert failing_invariants(coalition) == {}


def test_the_same_file_and_the_same_balance_in_another_file_come_once(coalition: CoalitionBuilder) -> None:
    ann, bob = coalition.member_keys
    first, on = file_of(f"{ann},100,2027-03-15"), terms()
    hand_over_file(coalition, 1, first, on)
    kept = open_points(coalition, 1, first, on)
    coalition.work_off()
    assert open_points(coalition, 1, first, on).opening_file_id == kept.opening_file_id
    second = file_of(f"{ann},100,2027-03-16", f"{bob},10,2027-03-16")
    hand_over_file(coalition, 1, second, on)
    view = open_points(coalition, 1, second, on)
    coalition.work_off()
    assert (held(coalition, ann, 1), held(coalition, bob, 1)) == ({END_OF_MARCH_2027: 50}, {END_OF_MARCH_2027: 5})
    assert view.states["unusable"].lines == 1
    with pytest.raises(ReferenceReused):
        open_points(coalition, 1, first, terms(ratio_points=2))


def test_a_line_waits_for_its_member_and_is_given_once_she_enrolls(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    late, enroll = member_of_later(coalition)
    content, on = file_of(f"{late},100,2027-03-15", f"{ann},2,2027-03-15"), terms()
    hand_over_file(coalition, 1, content, on)
    view = open_points(coalition, 1, content, on)
    coalition.work_off()
    assert held(coalition, late, 1) == {}
    enroll()
    coalition.work_off()
    coalition.work_off()
    assert held(coalition, late, 1) == {END_OF_MARCH_2027: 50}
    assert opening(coalition, view.opening_file_id).states["confirmed"].lines == 2


def test_what_the_brands_own_file_does_not_say_is_not_signed_and_comes_again_once_it_does(coalition: CoalitionBuilder) -> None:
    (ann, _) = coalition.member_keys
    content, on = file_of(f"{ann},100,2027-03-15"), terms()
    view = open_points(coalition, 1, content, on)
    coalition.work_off()
    assert ended(coalition, "opening") == [("refused", "signer_refused: unknown_opening_file", 50)]
    assert opening(coalition, view.opening_file_id).states["refused"].lines == 1
    hand_over_file(coalition, 1, content, on)
    open_points(coalition, 1, content, on)
    coalition.work_off()
    assert held(coalition, ann, 1) == {END_OF_MARCH_2027: 50}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "first line"),
        (b"member,balance\n", "first line"),
        (b"member_id,balance,balance\n", "first line"),
        (b"member_id,balance\n\xff,1\n", "UTF-8"),
        (b'member_id,balance\n"0x11,1\n', "no CSV"),
        (b"x" * (8 * 2**20 + 1), "in parts"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(coalition: CoalitionBuilder, content: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        open_points(coalition, 1, content, terms())


def test_more_than_the_limit_has_room_for_is_refused_whole(coalition: CoalitionBuilder) -> None:
    (ann, bob) = coalition.member_keys
    with pytest.raises(LimitExceeded):
        open_points(coalition, 1, file_of(f"{ann},{ISSUE_LIMIT},2027-03-15", f"{bob},{2 * ISSUE_LIMIT},2027-03-15"), terms())
    assert ended(coalition, "opening") == []
