"""Which lots are chosen: of each issuer what there is room for, and few lots where many do not fit an entry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.ledger import lot_choice
from gateway.ledger.lot_choice import LotsFallShort, TooManyLots, choose_lots, most_redeemable
from gateway.ledger.lots import Line, lot_id
from gateway.values.ids import LotId

AT = 9, 0, 0
"""The accepting brand, the time and the zone."""


def test_of_an_issuer_no_more_is_taken_than_there_is_room_for() -> None:
    held = {lot_id(1, 10): 5, lot_id(1, 20): 5, lot_id(2, 30): 100, lot_id(9, 40): 100}
    assert choose_lots(held, 20, *AT, {1: 7, 2: 4}) == [Line(1, 10, 5), Line(1, 20, 2), Line(2, 30, 4), Line(9, 40, 9)]
    assert choose_lots(held, 20, *AT, {1: 0, 2: -3}) == [Line(9, 40, 20)], "room may have been lowered below what is owed"
    assert choose_lots(held, 20, *AT) == [Line(1, 10, 5), Line(1, 20, 5), Line(2, 30, 10)]
    with pytest.raises(LotsFallShort) as raised:
        choose_lots(held, 108, *AT, {1: 7})
    assert raised.value.usable == 107


def test_dust_does_not_keep_a_member_from_the_lot_that_holds_enough() -> None:
    held = {**{lot_id(1, day): 1 for day in range(1, 41)}, lot_id(1, 0): 1_000}
    at_once = [*(Line(1, day, 1) for day in range(1, 16)), Line(1, 0, 485)]
    assert choose_lots(held, 500, *AT) == at_once, "the largest lots, of those that are alike the nearest expiry, in the order of spending"
    assert choose_lots(held, 16, *AT) == [Line(1, day, 1) for day in range(1, 17)]
    assert most_redeemable(held, *AT) == (1_040, 1_015)
    with pytest.raises(TooManyLots) as raised:
        choose_lots(held, 1_016, *AT)
    assert raised.value.at_once == 1_015


lots = some.dictionaries(some.builds(lot_id, some.sampled_from([1, 2, 9]), some.integers(0, 3)), some.integers(0, 9), max_size=8)
rooms = some.none() | some.dictionaries(some.sampled_from([1, 2]), some.integers(-3, 12))


@given(lots, rooms, some.integers(1, 40), some.integers(1, 4))
def test_a_choice_is_found_wherever_there_is_one(held: dict[LotId, int], room: dict[int, int] | None, points: int, lines_max: int) -> None:
    def together(chosen: Sequence[LotId]) -> int:
        of = {issuer: sum(held[lot] for lot in chosen if lot >> 32 == issuer) for issuer in (1, 2, 9)}
        return of[9] + sum(of[issuer] if room is None else max(0, min(of[issuer], room.get(issuer, 0))) for issuer in (1, 2))

    most = max(together(chosen) for chosen in combinations(held, min(lines_max, len(held))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lot_choice, "MAX_LINES", lines_max)
        assert most_redeemable(held, *AT, room) == (together(list(held)), most)
        if points > most:
            with pytest.raises(TooManyLots if points <= together(list(held)) else LotsFallShort):
                choose_lots(held, points, *AT, room)
            return
        lines = choose_lots(held, points, *AT, room)
    assert len(lines) <= lines_max
    assert sum(line.points for line in lines) == points == together([line.lot_id for line in lines[:-1]]) + lines[-1].points
    assert all(0 < line.points <= held[line.lot_id] for line in lines)
