"""When a member pays with points: a stated, seeded policy, so that two walks over the same sales do the same.

Every decision is a hash of the seed and the payment id; nothing here looks at a clock or keeps state.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

PAYS_WITH_POINTS_PERCENT = 30
MINIMUM_SPEND_MINOR = 400
MINIMUM_POINTS = 50
MAXIMUM_SHARE_PERCENT = 60

STATEMENT = (
    f"A member pays with points at {PAYS_WITH_POINTS_PERCENT} % of purchases of at least {MINIMUM_SPEND_MINOR} minor units when at least "
    f"{MINIMUM_POINTS} points are available, once a day at most, for up to {MAXIMUM_SHARE_PERCENT} % of the price; "
    "60 % in one step, 40 % authorized first, of which one in ten is captured in part and one in ten voided; "
    "one in twenty is refunded in points."
)

Mode = Literal["redeem", "capture", "partial_capture", "void"]


@dataclass(frozen=True)
class Payment:
    """A decided payment with points. `captured` points are what the purchase is paid with; `refunded` of them come back later."""

    points: int
    mode: Mode
    captured: int
    refunded: int


def wants_to_pay_with_points(seed: str, payment_id: str, gross_minor: int) -> bool:
    return gross_minor >= MINIMUM_SPEND_MINOR and _roll(seed, "pays", payment_id, 100) < PAYS_WITH_POINTS_PERCENT


def decide(seed: str, payment_id: str, gross_minor: int, available: int, rate: tuple[int, int]) -> Payment | None:
    """How many points to pay with, out of `available`; `rate` is the accepting brand's redemption rate, numerator and denominator."""
    affordable = gross_minor * MAXIMUM_SHARE_PERCENT // 100 * rate[1] // rate[0]
    points = min(available, affordable)
    if points < MINIMUM_POINTS:
        return None
    mode = _mode(_roll(seed, "mode", payment_id, 100))
    captured = {"void": 0, "partial_capture": max(1, points // 2)}.get(mode, points)
    refunded = max(1, captured // 2) if captured and _roll(seed, "refund", payment_id, 100) < 5 else 0
    return Payment(points, mode, captured, refunded)


def _mode(roll: int) -> Mode:
    if roll < 60:
        return "redeem"
    if roll < 92:
        return "capture"
    return "partial_capture" if roll < 96 else "void"


def _roll(seed: str, purpose: str, payment_id: str, sides: int) -> int:
    digest = hashlib.sha256(f"{seed}|{purpose}|{payment_id}".encode()).digest()
    return int.from_bytes(digest[:16], "big") % sides
