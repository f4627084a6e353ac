"""What a member is told she can spend at a brand: no more of an issuer than the brand still lets itself be owed."""

from __future__ import annotations

from gateway.projection.tables import LedgerExposureLimitRow
from gateway.rounds.tables import OperationRow
from gateway.values.ids import MemberId
from tests.builders.offline_coalition import START, OfflineCoalition


def test_a_quote_and_what_points_are_worth_speak_of_what_the_brand_takes(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    coalition.brand(2)
    ann, bob = (coalition.shopper(number).member_id for number in (1, 2))
    for member in (ann, bob):
        coalition.put_points(member, 70, brand_id=1, months=3)
        coalition.put_points(member, 50, brand_id=2, months=6)
    with coalition.database.write() as session:
        session.merge(LedgerExposureLimitRow(acceptor_id=2, issuer_id=1, most=40))
    asked = {"order_id": "o", "member_id": ann, "amount_minor": 10_000}
    quote = coalition.post("brand:2", "/v1/quotes", asked).json()
    assert [(lot["brand_id"], lot["points"]) for lot in quote["lots"]] == [(1, 40), (2, 50)]
    shown = coalition.get("brand:1", f"/v1/members/{ann}/points?worth_at_brand=2").json()
    assert (shown["available"], shown["worth"]["available"], shown["worth"]["amount_minor"]) == (120, 90, 90)
    assert coalition.get("brand:1", f"/v1/members/{ann}/points?worth_at_brand=1").json()["worth"]["available"] == 120
    accepted = coalition.post("brand:2", "/v1/quotes", {"order_id": "o", "member_id": ann, "points": 91})
    assert (accepted.status_code, accepted.json()["facts"]) == (409, {"points": 91, "available": 90})


def test_what_others_were_promised_is_not_promised_again(coalition: OfflineCoalition) -> None:
    """Their lots are not chosen yet: no more than each of them holds of an issuer can be taken of it."""
    coalition.brand(1)
    coalition.brand(2)
    ann, bob, cara = (coalition.shopper(number).member_id for number in (1, 2, 3))
    for member, points in ((ann, 70), (bob, 15), (cara, 0)):
        coalition.put_points(member, points, brand_id=1, months=3)
        coalition.put_points(member, 50, brand_id=2, months=6)
    with coalition.database.write() as session:
        session.merge(LedgerExposureLimitRow(acceptor_id=2, issuer_id=1, most=40))
        pending = {"kind": "redeem", "brand_id": 2, "body": "{}", "status": "accepted", "created_at": START}
        for number, (member, points) in enumerate(((bob, 60), (cara, 30), (ann, 5))):
            waits = {"member_id": MemberId.parse(member), "points": points, "pending_out": points, **pending}
            session.add(OperationRow(operation_id=f"pending-{number}", **waits))
    shown = coalition.get("brand:1", f"/v1/members/{ann}/points?worth_at_brand=2").json()
    assert shown["worth"]["available"] == (40 - 15) + 50 - 5
