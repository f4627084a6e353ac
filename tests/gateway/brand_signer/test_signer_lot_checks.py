"""Openings, restores and extensions: what the brand's own books say is signed, and everything else is refused for its own reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.brand_signer.sales_register import DamagedRegister
from gateway.ledger.entries import Clawback
from gateway.ledger.lot_references import ActivityKind
from gateway.ledger.lots import Line
from gateway.values.calendar import NEVER
from gateway.values.ids import Hash
from gateway.values.points import Points
from tests.gateway.brand_signer.brand_books import BRAND, EXPIRY_DAY, OTHER_BRAND, STRANGER, Brand, Entered, clawback, issue, refusals
from tests.gateway.brand_signer.lot_books import (
    EARLIER_DAY,
    EXTENDING,
    LAST_DAY,
    OPENINGS,
    carried,
    extend,
    fail,
    fill,
    opening,
    restore,
)

ORDER = ActivityKind.ORDER
LATER_DAY = EXPIRY_DAY + 30


def test_a_line_of_the_brands_own_file_is_signed_once(brand: Brand) -> None:
    fill(brand)
    assert refusals(brand.signer(), 1, [opening()]) == []
    assert refusals(brand.signer(), 2, [opening()]) == [(0, "already_signed")]


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        (opening(source=Hash(bytes(32))), "unknown_opening_file"),
        (opening(ratio=(1, 1), points=101), "wrong_ratio"),
        (opening(9), "unknown_opening_line"),
        (opening(3), "reference_mismatch"),
        (opening(member=STRANGER), "wrong_member"),
        (opening(points=51), "wrong_points"),
        (opening(day=LAST_DAY + 30), "wrong_expiry"),
    ],
)
def test_an_opening_that_the_file_does_not_say_is_refused(brand: Brand, entered: Entered, reason: str) -> None:
    fill(brand)
    assert refusals(brand.signer(), 1, [entered]) == [(0, reason)]


def test_a_file_that_is_another_one_by_now_is_a_damaged_register(brand: Brand) -> None:
    fill(brand)
    (brand.folder / "openings.csv").write_bytes(OPENINGS + b"\n")
    with pytest.raises(DamagedRegister, match="SHA-256"):
        refusals(brand.signer(), 1, [opening()])


def taken(brand: Brand) -> None:
    """Nine points were issued, four taken by the first refund and two by the second."""
    fill(brand)
    assert refusals(brand.signer(), 1, [issue("p-1", 9)]) == []
    assert refusals(brand.signer(), 2, [clawback("r-1", "p-1", 4), clawback("r-2", "p-1", 2)]) == []


def test_what_a_failed_refund_took_goes_back_once(brand: Brand) -> None:
    taken(brand)
    assert refusals(brand.signer(), 3, [restore(4)]) == [(0, "unknown_refund_failure")]
    fail(brand, "r-1")
    assert refusals(brand.signer(), 3, [restore(4)]) == []
    assert refusals(brand.signer(), 4, [restore(1)]) == [(0, "already_signed")]


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        (restore(5), "too_much_restored"),
        (restore(4, "r-2"), "unknown_refund_failure"),
        (restore(4, member=STRANGER), "wrong_member"),
        (restore(4, brand=OTHER_BRAND), "foreign_lot"),
        (restore(4, place=(1, 1)), "unknown_issue"),
        (clawback("r-1", "p-1", 1), "already_signed"),
        (carried("r-1", 1, 1), "refund_failed"),
    ],
)
def test_more_than_a_failed_refund_took_is_refused(brand: Brand, entered: Entered, reason: str) -> None:
    taken(brand)
    fail(brand, "r-1")
    assert refusals(brand.signer(), 3, [entered]) == [(0, reason)]


def taken_from_four_lots(brand: Brand) -> None:
    """Of nine points four were taken: one each from the issue's own lot, an earlier one, a later one, and one that never expires."""
    fill(brand)
    entry, detail = clawback("r-1", "p-1", 1)
    assert isinstance(entry, Clawback)
    days = (EXPIRY_DAY, EARLIER_DAY, LATER_DAY, NEVER)
    spread = replace(entry, lines=tuple(Line(BRAND, day, Points(1)) for day in days))
    assert refusals(brand.signer(), 1, [issue("p-1", 9)]) == []
    assert refusals(brand.signer(), 2, [(spread, detail)]) == []
    fail(brand, "r-1")


@pytest.mark.parametrize(
    "by_day",
    [
        {EARLIER_DAY: 2},
        {EARLIER_DAY - 31: 1},
        {EARLIER_DAY: 1, EXPIRY_DAY: 2},
        {EXPIRY_DAY: 3},
        {LATER_DAY: 4},
        {EARLIER_DAY: 1, EXPIRY_DAY: 1, LATER_DAY: 2},
    ],
    ids=str,
)
def test_points_are_not_restored_into_lots_that_expire_sooner(brand: Brand, by_day: dict[int, int]) -> None:
    taken_from_four_lots(brand)
    assert refusals(brand.signer(), 3, [restore(0, by_day=by_day)]) == [(0, "wrong_expiry")]


@pytest.mark.parametrize(
    "by_day",
    [
        {EARLIER_DAY: 1, EXPIRY_DAY: 1, LATER_DAY: 1, NEVER: 1},
        {EXPIRY_DAY: 2, LATER_DAY: 1, NEVER: 1},
        {LATER_DAY: 3},
        {NEVER: 4},
        {EARLIER_DAY: 1},
    ],
    ids=str,
)
def test_points_are_restored_into_the_lots_taken_from_or_later_ones(brand: Brand, by_day: dict[int, int]) -> None:
    taken_from_four_lots(brand)
    assert refusals(brand.signer(), 3, [restore(0, by_day=by_day)]) == []


def test_what_was_restored_before_counts(brand: Brand) -> None:
    """The earlier lot's point is back already; the issue's own lot gave one more, and it does not come back earlier."""
    fill(brand)
    assert refusals(brand.signer(), 1, [issue("p-1", 9)]) == []
    for number, (refund_id, day) in enumerate((("r-1", EARLIER_DAY), ("r-2", EXPIRY_DAY)), start=2):
        entry, detail = clawback(refund_id, "p-1", 1)
        assert isinstance(entry, Clawback)
        assert refusals(brand.signer(), number, [(replace(entry, lines=(Line(BRAND, day, Points(1)),)), detail)]) == []
        fail(brand, refund_id)
    assert refusals(brand.signer(), 4, [restore(1, "r-1", by_day={EARLIER_DAY: 1})]) == []
    assert refusals(brand.signer(), 5, [restore(1, "r-2", by_day={EARLIER_DAY: 1})]) == [(0, "wrong_expiry")]
    assert refusals(brand.signer(), 5, [restore(1, "r-2")]) == []


def test_a_later_clawback_takes_what_is_still_missing_and_no_more(brand: Brand) -> None:
    fill(brand)
    assert refusals(brand.signer(), 1, [issue("p-1", 9)]) == []
    assert refusals(brand.signer(), 2, [clawback("r-1", "p-1", 2)]) == []
    assert refusals(brand.signer(), 3, [carried("r-1", 1, 5)]) == [(0, "too_much_clawed_back")]
    assert refusals(brand.signer(), 3, [carried("r-1", 1, 3)]) == []
    assert refusals(brand.signer(), 4, [carried("r-1", 1, 1)]) == [(0, "already_signed")]
    fail(brand, "r-1")
    assert refusals(brand.signer(), 4, [restore(5)]) == []


def test_an_activity_of_the_brands_own_books_extends_each_lot_once(brand: Brand) -> None:
    brand.programme = EXTENDING
    fill(brand)
    assert refusals(brand.signer(), 1, [extend(), extend(ORDER, "o-1", days=(EARLIER_DAY - 31, EXPIRY_DAY))]) == []
    assert refusals(brand.signer(), 2, [extend()]) == [(0, "already_signed")]


@pytest.mark.parametrize(
    ("entered", "reason"),
    [
        (extend(named="p-9"), "unknown_activity"),
        (extend(ORDER, "o-9"), "unknown_activity"),
        (extend(ORDER, "o-2"), "unknown_activity"),
        (extend(member=STRANGER), "wrong_member"),
        (extend(days=(EARLIER_DAY, EXPIRY_DAY + 365)), "wrong_expiry"),
        (extend(days=(EARLIER_DAY, EXPIRY_DAY - 1)), "wrong_expiry"),
        (extend(days=(EXPIRY_DAY, EXPIRY_DAY)), "wrong_expiry"),
        (extend(days=(0, EXPIRY_DAY)), "wrong_expiry"),
        (extend(told={"kind": "rumour", "id": "p-1"}), "detail_mismatch"),
        (extend(told=[]), "detail_mismatch"),
    ],
)
def test_an_extension_without_an_activity_that_reaches_it_is_refused(brand: Brand, entered: Entered, reason: str) -> None:
    brand.programme = EXTENDING
    fill(brand)
    assert refusals(brand.signer(), 1, [entered]) == [(0, reason)]


def test_a_brand_that_promises_nothing_extends_nothing(brand: Brand) -> None:
    fill(brand)
    assert refusals(brand.signer(), 1, [extend()]) == [(0, "no_extension_promised")]
