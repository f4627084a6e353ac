"""Entries that spend a member's points or give them back, held against what the till has written of the order."""

from __future__ import annotations

from gateway.brand_signer.books import Books, NotSupported, require
from gateway.brand_signer.signed_state import SignedReservation, SignedState, points_of
from gateway.ledger.discounts import discount_share
from gateway.ledger.entries import BRAND_GRANT, Authorize, Capture, PointRefund, Redeem, Void
from gateway.ledger.signing import reference
from gateway.values.ids import MemberId, ReservationId
from gateway.values.points import Points


def check_redemption(entry: Authorize | Redeem, books: Books, signed: SignedState) -> None:
    """An order that the till lists, for its member and at most its points, and in one step only where the till says so."""
    require(0 < entry.points == points_of(entry.lines), "wrong_points")
    rate = books.programme.redemption
    require(rate is None or entry.discount >= rate.minor_for(entry.points), "discount_too_low")
    require(signed.reservation_id(entry) not in signed.reservations, "already_signed")
    require(not books.register.is_let_go(entry.reference, entry.member), "order_let_go")
    order = books.register.order_under(entry.reference)
    if order is None:
        signed_by_a_member = entry.proof.kind != BRAND_GRANT
        require(signed_by_a_member and entry.points <= books.programme.unlisted_points_max, "unknown_order")
        return
    require(entry.member == order.member, "wrong_member")
    require(entry.points <= order.points, "too_many_points")
    require(isinstance(entry, Authorize) or order.one_step is not False, "not_in_one_step")


def check_capture(entry: Capture, capture_id: str, books: Books, signed: SignedState) -> None:
    """The till has given its discount for exactly these points, and has not let the order go."""
    reservation = _reservation(entry.reservation_id, signed)
    require(not reservation.closed, "reservation_closed")
    points = points_of(entry.lines)
    require(0 < points <= reservation.points, "too_many_points")
    require(entry.discount == discount_share(reservation.discount_minor, points, reservation.points), "discount_mismatch")
    require(reservation.order is None or not books.register.is_let_go(reservation.order, reservation.member), "order_let_go")
    decided = books.register.capture(capture_id)
    if decided is None:
        require(_captured_without_a_line(reservation, books), "unknown_capture")
        return
    _check_order_of(reservation, decided.order_id, decided.member, books)
    require(points == decided.points, "wrong_points")


def check_void(entry: Void, void_id: str, books: Books, signed: SignedState) -> None:
    """The till has let the order go. After the deadline anybody releases it without this signature, so no clock is needed here."""
    reservation = _reservation(entry.reservation_id, signed)
    require(not reservation.closed, "reservation_closed")
    decided = books.register.void(void_id)
    if decided is None:
        raise NotSupported("unknown_void")
    _check_order_of(reservation, decided.order_id, decided.member, books)


def check_point_refund(entry: PointRefund, point_refund_id: str, books: Books, signed: SignedState) -> None:
    """The till has decided it; without its line only of an order that is not listed either, and little of each."""
    reservation = _reservation(entry.reservation_id, signed)
    points = points_of(entry.lines)
    require(0 < points <= reservation.captured - reservation.refunded, "too_many_points")
    decided = books.register.point_refund(point_refund_id)
    if decided is None:
        require(_is_small_and_unlisted(reservation, Points(reservation.refunded + points), books), "unknown_point_refund")
        return
    if decided.order_id is None:
        raise NotSupported("point_refund_without_order")  # of an earlier till: written again with its order it is signed
    _check_order_of(reservation, decided.order_id, decided.member, books)
    require(points <= decided.points, "unknown_point_refund")


def _reservation(reservation_id: ReservationId, signed: SignedState) -> SignedReservation:
    reservation = signed.reservations.get(reservation_id)
    if reservation is None:
        raise NotSupported("unknown_reservation")
    return reservation


def _captured_without_a_line(reservation: SignedReservation, books: Books) -> bool:
    """Small orders that the till lists at no step, and orders of an earlier till, which wrote no captures."""
    order = None if reservation.order is None else books.register.order_under(reservation.order)
    if order is None:
        return _is_small_and_unlisted(reservation, reservation.points, books)
    return order.one_step is None


def _is_small_and_unlisted(reservation: SignedReservation, points: Points, books: Books) -> bool:
    unlisted = reservation.order is not None and books.register.order_under(reservation.order) is None
    return unlisted and points <= books.programme.unlisted_points_max


def _check_order_of(reservation: SignedReservation, order_id: str, member: MemberId | None, books: Books) -> None:
    """The till's word is about the order that this reservation was signed for."""
    require(reservation.order == reference(books.reference_secret, "order", order_id), "wrong_reservation")
    require(reservation.member == member, "wrong_member")
