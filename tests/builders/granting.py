"""What the follower writes of a member's grants and spend lock, and how members sign, on an offline coalition."""

from __future__ import annotations

from typing import Any

from gateway.ledger.consents import TransferTerms, lines_hash, transfer_digest
from gateway.ledger.lots import Line, split_lot_id
from gateway.ledger.member_acts import grant_to_brand, grant_to_member
from gateway.ledger.signing import Domain
from gateway.projection.member_tables import LedgerGrantRow, LedgerMemberRow
from gateway.values.ids import Address, Hash, LotId, MemberId
from gateway.values.points import Points
from tests.builders.offline_coalition import COALITION_ID, POINTS_ADDRESS, START, OfflineCoalition, Shopper

UNTIL = START + 30 * 86_400


def grant(coalition: OfflineCoalition, giver: Shopper, to: int | Shopper, **limits: int) -> None:
    """To a brand or another member: 50 a purchase, 80 a day, 200 in all, unless said otherwise."""
    granted_to: Hash = grant_to_brand(to) if isinstance(to, int) else grant_to_member(MemberId.parse(to.member_id))
    values = {"per_purchase": 50, "per_day": 80, "in_all": 200, "until": UNTIL, "spent_in_all": 0, "spent_on_day": 0, "spent_day": 0}
    with coalition.database.write() as session:
        session.merge(LedgerGrantRow(giver_id=MemberId.parse(giver.member_id), granted_to=granted_to, **{**values, **limits}))


def lock_spending(coalition: OfflineCoalition, member: Shopper) -> None:
    values: dict[str, Any] = {"acts": 0, "turn": 1, "epoch": 0, "is_locked": True, "guardian_kind": 0, "guardian": b""}
    with coalition.database.write() as session:
        session.merge(LedgerMemberRow(member_id=MemberId.parse(member.member_id), **values))


def pool_consent(
    coalition: OfflineCoalition, giver: Shopper, spender: Shopper, points: int, order_id: str, **changes: Any
) -> dict[str, Any]:
    """A quote that the spender signs: the body of an authorization of the giver's points at brand 2."""
    asked = {"order_id": order_id, "member_id": giver.member_id, "spender_id": spender.member_id, "points": points}
    answer = coalition.post("brand:2", "/v1/quotes", asked)
    assert answer.status_code == 200, answer.text
    quote = answer.json()
    return {
        **asked,
        **{name: quote[name] for name in ("discount_minor", "order_hash", "nonce", "deadline")},
        "proof": spender.sign(quote["reservation_id"]),
        **changes,
    }


def signed_transfer(coalition: OfflineCoalition, giver: Shopper, taker: Shopper, points: int, **changes: Any) -> dict[str, Any]:
    """A draft that both sign: the body of a transfer that brand 2 carries."""
    asked = {"giver_id": giver.member_id, "taker_id": taker.member_id, "points": points}
    answer = coalition.post("brand:2", "/v1/transfer-quotes", asked)
    assert answer.status_code == 200, answer.text
    quote = answer.json()
    lots = [{"lot_id": lot["lot_id"], "points": lot["points"]} for lot in quote["lots"]]
    lines = [Line(*split_lot_id(LotId(int(lot["lot_id"]))), Points(lot["points"])) for lot in lots]
    sides = MemberId.parse(giver.member_id), MemberId.parse(taker.member_id)
    domain = Domain(7_951, Address.parse(POINTS_ADDRESS), Hash.parse(COALITION_ID))
    digest = str(transfer_digest(domain, TransferTerms(*sides, lines_hash(lines), points, quote["deadline"])))
    return {
        "giver_id": giver.member_id,
        "taker_id": taker.member_id,
        "lots": lots,
        "nonce": points,  # always the same request
        "deadline": quote["deadline"],
        "giver_proof": {"proof_kind": 1, "proof": giver.sign(digest)},
        "taker_proof": {"proof_kind": 1, "proof": taker.sign(digest)},
        **changes,
    }
