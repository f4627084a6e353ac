"""Purchases over HTTP: what is accepted, what is refused and leaves no trace, and that a payment earns once."""

from __future__ import annotations

from tests.builders.offline_coalition import OfflineCoalition, purchase_body


def test_a_purchase_of_a_member_is_stored_with_an_issue_operation(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    shopper = coalition.shopper()
    answer = coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=shopper.member_id))
    assert answer.status_code == 202, answer.text
    shown = answer.json()
    assert (shown["points"], shown["rule_version"]) == (25, 1)
    assert (shown["operation"]["kind"], shown["operation"]["status"], shown["operation"]["points"]) == ("issue", "accepted", 25)
    points = coalition.get("auditor", f"/v1/members/{shopper.member_id}/points").json()
    assert (points["available"], points["pending"], points["ledger"]) == (0, 25, 0)
