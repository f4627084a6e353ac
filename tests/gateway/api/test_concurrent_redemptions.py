"""Invariant 7 at acceptance: whatever redeems at once, reserved and spent never exceed what the member holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.builders.offline_coalition import OfflineCoalition


def test_many_redemptions_at_once_never_take_more_than_the_member_holds(coalition: OfflineCoalition) -> None:
    for brand in (1, 2, 3):
        coalition.brand(brand)
    shopper = coalition.shopper()
    coalition.put_points(shopper.member_id, 100, reserved=10)
    bodies = [(1 + n % 3, coalition.consent(shopper, 1 + n % 3, 7, f"order-{n}")) for n in range(30)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(
                lambda one: coalition.post(f"brand:{one[0]}", "/v1/redemptions" if one[0] == 1 else "/v1/authorizations", one[1]), bodies
            )
        )
    accepted = [answer for answer in answers if answer.status_code == 202]
    refused = [answer.json()["code"] for answer in answers if answer.status_code != 202]
    assert len(accepted) == 90 // 7
    assert set(refused) == {"not_enough_points"}
    points = coalition.get("brand:1", f"/v1/members/{shopper.member_id}/points").json()
    assert (points["pending_out"], points["available"]) == (84, 6)


def test_many_point_refunds_at_once_never_give_back_more_than_was_captured(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    reservation_id = "0x" + "e5" * 32
    coalition.put_reservation(reservation_id, coalition.shopper().member_id, 1, 50, status="captured", captured=50)
    path = f"/v1/authorizations/{reservation_id}/point-refunds"
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: coalition.post("brand:1", path, {"point_refund_id": f"g{n}", "points": 20}), range(12)))
    assert sorted(answer.status_code for answer in answers) == [202] * 2 + [409] * 10


def test_many_captures_at_once_use_a_reservation_once(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    reservation_id = "0x" + "e5" * 32
    coalition.put_reservation(reservation_id, coalition.shopper().member_id, 1, 50)
    path = f"/v1/authorizations/{reservation_id}/capture"
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: coalition.post("brand:1", path, {"capture_id": f"c{n}", "points": 20}), range(12)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 11
