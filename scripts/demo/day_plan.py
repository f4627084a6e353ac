"""What a day's payments with points are: decided once, written down, and followed to the letter when the day is taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import Any

from scripts.demo import policy
from scripts.demo.client import Refused
from scripts.demo.coalition import BY_SLUG
from scripts.demo.sales import Sale
from scripts.demo.world import World

CONSENT_SECONDS = 86_400


@dataclass(frozen=True)
class PointPayment:
    """A decided payment with points at one purchase, with what the member's key or passkey signed."""

    payment_id: str
    brand: str
    member_id: str
    points: int
    mode: policy.Mode
    captured: int
    refunded: int
    reservation_id: str
    discount_minor: int
    order_hash: str
    nonce: int
    deadline: int
    proof_kind: int
    proof: str

    def consent_body(self) -> dict[str, Any]:
        """What the till hands in."""
        return {
            "order_id": self.payment_id,
            "member_id": self.member_id,
            "points": self.points,
            "discount_minor": self.discount_minor,
            "order_hash": self.order_hash,
            "nonce": self.nonce,
            "deadline": self.deadline,
            "proof_kind": self.proof_kind,
            "proof": self.proof,
        }


def decide_day(world: World, sales: Sequence[Sale], seed: str, pool: Executor) -> list[PointPayment]:
    """Asks what members have, applies the policy, and has the consents signed in the wallets' process."""
    candidates: dict[int, Sale] = {}
    for sale in sales:
        if policy.wants_to_pay_with_points(seed, sale.payment_id, sale.gross_minor):
            candidates.setdefault(sale.household, sale)
    decided = pool.map(lambda sale: _decide(world, sale, seed), candidates.values())
    return [payment for payment in decided if payment is not None]


def to_json(payments: Sequence[PointPayment]) -> list[dict[str, Any]]:
    return [asdict(payment) for payment in payments]


def from_json(document: Sequence[dict[str, Any]]) -> list[PointPayment]:
    return [PointPayment(**fields) for fields in document]


def _decide(world: World, sale: Sale, seed: str) -> PointPayment | None:
    till = world.tills[sale.brand]
    member_id = world.members[sale.household]
    available: int = till.client.get(f"/v1/members/{member_id}/points")["available"]
    wanted = policy.decide(seed, sale.payment_id, sale.gross_minor, available, BY_SLUG[sale.brand].redemption)
    if wanted is None:
        return None
    order = {"payment_id": sale.payment_id, "brand": sale.brand, "total_minor": sale.gross_minor}
    question = {
        "order_id": sale.payment_id,
        "member_id": member_id,
        "points": wanted.points,
        "valid_seconds": CONSENT_SECONDS,
        "order": order,
    }
    try:
        quote = till.client.ask("/v1/quotes", question)
    except Refused as refusal:
        if refusal.problem.get("code") in ("not_enough_points", "wrong_state"):
            return None
        raise
    return PointPayment(
        payment_id=sale.payment_id,
        brand=sale.brand,
        member_id=member_id,
        points=wanted.points,
        mode=wanted.mode,
        captured=wanted.captured,
        refunded=wanted.refunded,
        reservation_id=quote["reservation_id"],
        discount_minor=quote["discount_minor"],
        order_hash=quote["order_hash"],
        nonce=quote["nonce"],
        deadline=quote["deadline"],
        **world.sign_consent(quote["typed_data"]),
    )
