"""Shares of a discount in minor units, in proportion to points, rounded as the contract rounds them."""

from __future__ import annotations

from collections.abc import Sequence


def discount_share(discount: int, part: int, whole: int) -> int:
    """The share of `part` of `whole` points, rounded up."""
    return -(-discount * part // whole)


def allotted_discounts(discount: int, points: Sequence[int]) -> list[int]:
    """The discount in parts that belong to these points: what the running total of shares grows by, so that nothing is left over."""
    whole, so_far, parts, before = sum(points), 0, [], 0
    for each in points:
        so_far += each
        up_to = discount_share(discount, so_far, whole)
        parts.append(up_to - before)
        before = up_to
    return parts


def refund_discount(discount: int, captured: int, refunded: int, points: int) -> int:
    """What a lot's discount falls by when `points` more of the captured ones go back."""
    left = captured - refunded
    return discount_share(discount, left, captured) - discount_share(discount, left - points, captured)
