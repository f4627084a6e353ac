"""Orders, captures, voids and points given back: what the till has written of them is signed, and nothing beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.brand_signer.sales_register import DamagedRegister
from gateway.ledger.consents import transfer_digest, transfer_terms
from gateway.ledger.entries import BRAND_GRANT, ConsentProof, Transfer
from gateway.values.ids import ReservationId
from tests.gateway.brand_signer.brand_books import (
    DOMAIN,
    MEMBER,
    PROGRAMME,
    STRANGER,
    Brand,
    authorize,
    batch,
    capture,
    expire,
    point_refund,
    refusals,
    reservation_of,
    transfer,
    void,
)


def test_a_listed_order_is_signed_for_its_member_up_to_its_points(brand: Brand) -> None:
    brand.order("o-1", 500)
    signer = brand.signer()
    assert refusals(signer, 1, [authorize("o-1", 501)]) == [(0, "too_many_points")]
    assert refusals(signer, 1, [authorize("o-1", 500, member=STRANGER)]) == [(0, "wrong_member")]
    assert refusals(signer, 1, [authorize("o-1", 500, lines_points=499)]) == [(0, "wrong_points")]
    assert refusals(signer, 1, [authorize("o-1", 500)]) == []


def test_an_order_that_is_not_listed_is_signed_only_when_it_is_small(brand: Brand) -> None:
    signer = brand.signer()
    assert refusals(signer, 1, [authorize("o-1", 21, redeem=True)]) == [(0, "unknown_order")]
    assert refusals(signer, 1, [authorize("o-1", 20, redeem=True)]) == []
    assert refusals(signer, 2, [authorize("o-1", 20, redeem=True)]) == [(0, "already_signed")]


def test_a_reservation_is_captured_once_and_no_more_than_it_holds(brand: Brand) -> None:
    brand.order("o-1", 500)
    signer = brand.signer()
    reservation = reservation_of("o-1", 500)
    assert refusals(signer, 1, [capture("c-1", reservation, 500)]) == [(0, "unknown_reservation")]
    assert refusals(signer, 1, [authorize("o-1", 500)]) == []
    brand.take("c-1", "o-1", 300)
    assert refusals(signer, 2, [capture("c-1", reservation, 501)]) == [(0, "too_many_points")]
    assert refusals(signer, 2, [capture("c-1", reservation, 300)]) == []
    assert refusals(signer, 3, [capture("c-2", reservation, 200)]) == [(0, "reservation_closed")]
    assert refusals(signer, 3, [void("v-1", reservation, 200)]) == [(0, "reservation_closed")]


@pytest.mark.parametrize("redeem", [False, True])
def test_a_redemption_gives_at_least_the_promised_discount(brand: Brand, redeem: bool) -> None:
    """Four minor units for five points, rounded down."""
    brand.order("o-1", 499)
    signer = brand.signer()
    assert refusals(signer, 1, [authorize("o-1", 499, discount=398, redeem=redeem)]) == [(0, "discount_too_low")]
    assert refusals(signer, 1, [authorize("o-1", 499, discount=399, redeem=redeem)]) == []


def test_a_brand_that_states_no_rate_leaves_the_discount_to_the_ledger(tmp_path: Path) -> None:
    brand = Brand(tmp_path, replace(PROGRAMME, redemption=None))
    brand.order("o-1", 500)
    assert refusals(brand.signer(), 1, [authorize("o-1", 500, discount=0)]) == []
    brand.close()
    brand.till.close()


def test_a_capture_carries_its_share_of_the_discount_also_after_a_restart(brand: Brand) -> None:
    brand.order("o-1", 500)
    assert refusals(brand.signer(), 1, [authorize("o-1", 500, discount=401)]) == []
    brand.take("c-1", "o-1", 300)
    reservation, signer = reservation_of("o-1", 500, 401), brand.signer()
    for wrong in (240, 242, 401, 0):
        assert refusals(signer, 2, [capture("c-1", reservation, 300, wrong)]) == [(0, "discount_mismatch")]
    assert refusals(signer, 2, [capture("c-1", reservation, 300, 241)]) == []


def test_a_void_needs_the_tills_word_for_this_order_and_member(brand: Brand) -> None:
    brand.order("o-1", 500)
    brand.let_go("of-another-order", "o-2")
    brand.let_go("of-another-member", "o-1", STRANGER)
    signer = brand.signer()
    reservation = reservation_of("o-1", 500)
    assert refusals(signer, 1, [authorize("o-1", 500), void("invented", reservation, 500)]) == [(1, "unknown_void")]
    assert refusals(signer, 1, [authorize("o-1", 500)]) == []
    for void_id, reason in (("invented", "unknown_void"), ("of-another-order", "wrong_reservation"), ("of-another-member", "wrong_member")):
        assert refusals(brand.signer(), 2, [void(void_id, reservation, 500)]) == [(0, reason)]
    signer = brand.signer()
    brand.let_go("v-1", "o-1")
    assert refusals(signer, 2, [void("v-1", reservation, 500)]) == []
    assert refusals(signer, 3, [capture("c-1", reservation, 500)]) == [(0, "reservation_closed")]


def test_a_small_order_that_is_not_listed_is_not_let_go_without_a_word_either(brand: Brand) -> None:
    """The till may have given its discount by now."""
    signer = brand.signer()
    assert refusals(signer, 1, [authorize("o-1", 20)]) == []
    assert refusals(signer, 2, [void("v-1", reservation_of("o-1", 20), 20)]) == [(0, "unknown_void")]
    brand.let_go("v-1", "o-1")
    assert refusals(signer, 2, [void("v-1", reservation_of("o-1", 20), 20)]) == []


def test_only_what_this_signer_authorized_is_voided(brand: Brand) -> None:
    brand.let_go("v-1", "o-1")
    assert refusals(brand.signer(), 1, [void("v-1", ReservationId(b"\x55" * 32), 10)]) == [(0, "unknown_reservation")]


def test_points_are_given_back_only_as_decided_and_never_beyond_the_capture(brand: Brand) -> None:
    brand.order("o-1", 500)
    signer = brand.signer()
    reservation = reservation_of("o-1", 500)
    assert refusals(signer, 1, [authorize("o-1", 500, redeem=True)]) == []
    assert refusals(signer, 2, [point_refund("b-1", reservation, 100)]) == [(0, "unknown_point_refund")]
    brand.give_back("b-1", "o-1", 400)
    assert refusals(signer, 2, [point_refund("b-1", reservation, 401)]) == [(0, "unknown_point_refund")]
    assert refusals(signer, 2, [point_refund("b-1", reservation, 400)]) == []
    brand.give_back("b-2", "o-1", 400)
    assert refusals(signer, 3, [point_refund("b-2", reservation, 101)]) == [(0, "too_many_points")]
    assert refusals(brand.signer(), 3, [point_refund("b-2", reservation, 100)]) == []


def test_points_go_back_to_the_order_and_member_that_the_till_names(brand: Brand) -> None:
    brand.order("o-1", 60)
    brand.order("o-2", 60, STRANGER)
    signer = brand.signer()
    ours, theirs = authorize("o-1", 60, redeem=True), authorize("o-2", 60, member=STRANGER, redeem=True)
    assert refusals(signer, 1, [ours, theirs]) == []
    mine, strangers = reservation_of("o-1", 60), reservation_of("o-2", 60, member=STRANGER)
    brand.give_back("b-1", "o-1", 60)
    brand.give_back("b-2", "o-1", 60, STRANGER)
    assert refusals(brand.signer(), 2, [point_refund("b-1", strangers, 60)]) == [(0, "wrong_reservation")], "also after a restart"
    assert refusals(brand.signer(), 2, [point_refund("b-1", strangers, 5)]) == [(0, "wrong_reservation")], "small as it is: it is listed"
    assert refusals(brand.signer(), 2, [point_refund("b-2", mine, 60)]) == [(0, "wrong_member")]
    assert refusals(brand.signer(), 2, [point_refund("b-1", mine, 60)]) == []


def test_what_a_till_of_an_earlier_version_wrote_is_signed_once_it_names_its_order(brand: Brand) -> None:
    brand.order("o-1", 60)
    brand.till.append([{"type": "point_refund", "point_refund_id": "b-1", "points": 60}])
    assert refusals(brand.signer(), 1, [authorize("o-1", 60, redeem=True)]) == []
    given_back = point_refund("b-1", reservation_of("o-1", 60), 60)
    assert refusals(brand.signer(), 2, [given_back]) == [(0, "point_refund_without_order")]
    brand.give_back("b-1", "o-1", 60)
    assert refusals(brand.signer(), 2, [given_back]) == []
    brand.give_back("b-1", "o-2", 60)
    with pytest.raises(DamagedRegister, match="line 4"):
        brand.signer().sign(batch(3, expire(5)))


def test_what_was_transferred_is_no_reservation(brand: Brand) -> None:
    entry, detail = transfer(5)
    assert isinstance(entry, Transfer)
    moved = transfer_digest(DOMAIN, transfer_terms(entry))
    signer = brand.signer()
    assert refusals(signer, 1, [(entry, detail)]) == []
    later = [capture("c", moved, 5), void("v", moved, 5), point_refund("r", moved, 5)]
    assert refusals(signer, 2, later) == [(0, "reservation_closed"), (1, "reservation_closed"), (2, "too_many_points")]


def test_a_redemption_under_a_grant_to_the_brand_is_held_against_its_order(brand: Brand) -> None:
    entry, detail = authorize("o-1", 5, redeem=True)
    granted = replace(entry, proof=ConsentProof(BRAND_GRANT, b""))
    brand.order("o-1", 4)
    assert refusals(brand.signer(), 1, [(granted, detail)]) == [(0, "too_many_points")]


@pytest.mark.parametrize("redeem", [False, True])
def test_what_no_member_has_signed_always_needs_its_listed_order(brand: Brand, redeem: bool) -> None:
    entry, detail = authorize("invented", 1, redeem=redeem)
    granted = replace(entry, proof=ConsentProof(BRAND_GRANT, b""))
    signer = brand.signer()
    assert refusals(signer, 1, [(granted, detail)]) == [(0, "unknown_order")]
    brand.order("invented", 1)
    assert refusals(signer, 1, [(granted, detail)]) == []


# What the gateway alone cannot bring about


def test_a_capture_needs_the_tills_word_for_this_order_member_and_points(brand: Brand) -> None:
    for order_id, member in (("o-1", MEMBER), ("o-2", STRANGER)):
        brand.order(order_id, 500, member, one_step=False)
    reservation = reservation_of("o-1", 500)
    assert refusals(brand.signer(), 1, [authorize("o-1", 500)]) == []
    brand.take("of-another-order", "o-2", 300)
    brand.take("of-another-member", "o-1", 300, STRANGER)
    invented = ("invented", "unknown_capture"), ("of-another-order", "wrong_reservation"), ("of-another-member", "wrong_member")
    for capture_id, reason in invented:
        assert refusals(brand.signer(), 2, [capture(capture_id, reservation, 300)]) == [(0, reason)]
    signer = brand.signer()
    brand.take("c-1", "o-1", 300)
    for points in (299, 301):
        assert refusals(signer, 2, [capture("c-1", reservation, points)]) == [(0, "wrong_points")], "less is the brand's loss"
    assert refusals(signer, 2, [capture("c-1", reservation, 300)]) == []


@pytest.mark.parametrize("one_step", [True, False])
def test_what_the_till_has_let_go_is_neither_captured_nor_spent(brand: Brand, one_step: bool) -> None:
    for order_id in ("o-1", "o-2"):
        brand.order(order_id, 500, one_step=one_step)
    assert refusals(brand.signer(), 1, [authorize("o-1", 500)]) == []
    brand.take("c-1", "o-1", 500)
    for order_id in ("o-1", "o-2"):
        brand.let_go(f"v-{order_id}", order_id)
    let_go = [capture("c-1", reservation_of("o-1", 500), 500), authorize("o-2", 500), authorize("o-2", 500, redeem=True)]
    assert refusals(brand.signer(), 2, let_go) == [(0, "order_let_go"), (1, "order_let_go"), (2, "order_let_go")]
    assert refusals(brand.signer(), 2, [void("v-o-1", reservation_of("o-1", 500), 500)]) == [], "its last word"


def test_an_order_is_redeemed_in_one_step_only_where_the_till_says_so(brand: Brand) -> None:
    brand.order("o-1", 500, one_step=False)
    brand.order("o-2", 500, one_step=True)
    signer = brand.signer()
    assert refusals(signer, 1, [authorize("o-1", 500, redeem=True)]) == [(0, "not_in_one_step")]
    assert refusals(signer, 1, [authorize("o-1", 500), authorize("o-2", 500, redeem=True)]) == []


def test_an_order_that_may_be_redeemed_at_once_is_not_captured_without_a_word(brand: Brand) -> None:
    brand.order("o-1", 500, one_step=True)
    signer = brand.signer()
    assert refusals(signer, 1, [authorize("o-1", 500)]) == []
    assert refusals(signer, 2, [capture("c-1", reservation_of("o-1", 500), 500)]) == [(0, "unknown_capture")]


def test_a_small_order_that_is_not_listed_is_captured_without_a_line(brand: Brand) -> None:
    signer = brand.signer()
    assert refusals(signer, 1, [authorize("o-1", 20), authorize("o-2", 20), authorize("o-3", 20)]) == []
    first, second, third = (capture(f"c-{order_id}", reservation_of(order_id, 20), 20) for order_id in ("o-1", "o-2", "o-3"))
    assert refusals(signer, 2, [first]) == []
    brand.let_go("v-2", "o-2")
    brand.order("o-3", 20, one_step=False)
    assert refusals(signer, 3, [second, third]) == [(0, "order_let_go"), (1, "unknown_capture")], "the till has come to speak of it"
    brand.programme = replace(PROGRAMME, unlisted_points_max=19)
    assert refusals(brand.signer(), 3, [third]) == [(0, "unknown_capture")]


def test_orders_of_an_earlier_till_are_captured_as_before_until_it_says_their_steps(brand: Brand) -> None:
    for order_id in ("o-1", "o-2", "o-3", "o-4"):
        brand.order_of_an_earlier_till(order_id, 500)
    two_steps = [authorize(order_id, 500) for order_id in ("o-1", "o-2", "o-3")]
    assert refusals(brand.signer(), 1, [*two_steps, authorize("o-4", 500, redeem=True)]) == []
    brand.order("o-2", 500, one_step=False)
    brand.let_go("v-3", "o-3")
    captured = [capture(f"c-{order_id}", reservation_of(order_id, 500), 400) for order_id in ("o-1", "o-2", "o-3")]
    assert refusals(brand.signer(), 2, captured) == [(1, "unknown_capture"), (2, "order_let_go")]
    assert refusals(brand.signer(), 2, captured[:1]) == []
    brand.order("o-2", 500, one_step=True)
    with pytest.raises(DamagedRegister, match="line 7: o-2 stands here with other content"):
        brand.signer().sign(batch(3, expire(5)))


def test_without_a_line_points_go_back_to_small_unlisted_orders_alone_and_never_more_in_all(brand: Brand) -> None:
    brand.order("o-1", 500)
    listed, unlisted = reservation_of("o-1", 500), reservation_of("o-2", 20)
    assert refusals(brand.signer(), 1, [authorize("o-1", 500, redeem=True), authorize("o-2", 20, redeem=True)]) == []
    small = [point_refund("x-1", listed, 1), point_refund("x-2", unlisted, 15)]
    assert refusals(brand.signer(), 2, small) == [(0, "unknown_point_refund")]
    assert refusals(brand.signer(), 2, small[1:]) == []
    brand.programme = replace(PROGRAMME, unlisted_points_max=19)
    more = [point_refund("x-3", unlisted, 4), point_refund("x-4", unlisted, 1)]
    assert refusals(brand.signer(), 3, more) == [(1, "unknown_point_refund")]
