"""Openings, restores and extensions: what the brand's own books say is signed, and everything else is refused for its own reason."""

from __future__ import annotations

import pytest

from gateway.brand_signer.sales_register import DamagedRegister
from gateway.ledger.lot_references import ActivityKind
from gateway.values.ids import Hash
from tests.gateway.brand_signer.brand_books import EXPIRY_DAY, OTHER_BRAND, STRANGER, Brand, Entered, clawback, issue, refusals
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
