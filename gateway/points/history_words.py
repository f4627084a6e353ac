"""Entries in members' words. Members say "earn" and "pay with points"."""

from __future__ import annotations

_DONE = {
    "issue": "You earned {points} at {brand}",
    "opening": "{points} came over from your old programme at {brand}",
    "clawback": "{brand} took back {points} because a payment was refunded",
    "authorize": "{points} set aside for a purchase at {brand}",
    "capture": "You paid with {points} at {brand}",
    "redeem": "You paid with {points} at {brand}",
    "void": "{brand} released {points} that were set aside",
    "point_refund": "{brand} gave you back {points}",
    "restore": "{brand} gave {points} back that it had taken",
    "extend": "{brand} extended {points}",
    "expire": "{points} of {brand} expired",
    "transfer": "You gave {points} to another member, by way of {brand}",
}
_TAKEN = "Another member gave you {points}, by way of {brand}"
_WORDS = {"pending": "On its way: {said}", "refused": "Did not happen: {said}"}


def words_for(kind: str, points: int, brand_name: str, status: str, *, is_taker: bool = False) -> str:
    """One sentence for a member; `is_taker`: to whom points were transferred."""
    words = _TAKEN if is_taker else _DONE.get(kind, "{brand}: {points}")
    said = words.format(points=count(points), brand=brand_name)
    return _WORDS.get(status, "{said}").format(said=said)


def count(points: int) -> str:
    """1 point, 1,200 points."""
    return "1 point" if points == 1 else f"{points:,} points"
