"""POST /v1/operations/{id}/retry: what nobody signed is accepted again as it was; anything else says why not."""

from __future__ import annotations

import pytest

from tests.builders.offline_coalition import OfflineCoalition, purchase_body

PATH = "/v1/operations/{}/retry"


@pytest.fixture
def issue(coalition: OfflineCoalition) -> str:
    """The operation of a purchase's award."""
    coalition.brand()
    coalition.activate(1)
    shopper = coalition.shopper()
    answer = coalition.post("brand:1", "/v1/purchases", purchase_body(member_id=shopper.member_id))
    assert answer.status_code in (201, 202), answer.text
    operation_id: str = answer.json()["operation"]["operation_id"]
    return operation_id


@pytest.mark.parametrize("reason", ["signer_refused: unknown_sale", "signer_refused: reported_late", "batch_expired"])
def test_what_nobody_signed_is_accepted_again_once(coalition: OfflineCoalition, issue: str, reason: str) -> None:
    coalition.finish(issue, "refused", reason)
    first = coalition.post("brand:1", PATH.format(issue), {}, Idempotency_Key="once")
    assert first.status_code == 202, first.text
    assert (first.json()["status"], first.json()["reason"]) == ("accepted", None)
    again = coalition.post("brand:1", PATH.format(issue), {}, Idempotency_Key="once")
    assert again.headers["Idempotent-Replayed"] == "true"
    other = coalition.post("brand:1", PATH.format(issue), {})
    assert (other.status_code, other.json()["code"]) == (409, "wrong_state")


@pytest.mark.parametrize(("status", "reason"), [("confirmed", None), ("refused", "LimitExceeded")])
def test_what_ended_on_the_ledger_is_not_tried_again(coalition: OfflineCoalition, issue: str, status: str, reason: str | None) -> None:
    coalition.finish(issue, status, reason)
    answer = coalition.post("brand:1", PATH.format(issue), {})
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_another_brand_finds_no_such_operation(coalition: OfflineCoalition, issue: str) -> None:
    coalition.brand(2)
    coalition.activate(2)
    coalition.finish(issue, "refused", "batch_expired")
    assert coalition.post("brand:2", PATH.format(issue), {}).status_code == 404
    assert coalition.post("operator", PATH.format("f" * 32), {}).status_code == 404
    assert coalition.post("operator", PATH.format(issue), {}).status_code == 202


@pytest.mark.parametrize("failed", [False, True])
def test_a_clawback_is_due_again_unless_its_refund_failed(coalition: OfflineCoalition, issue: str, failed: bool) -> None:
    coalition.finish(issue)
    moment = "2017-03-15T10:00:00+02:00"
    refund = {"refund_id": "r", "payment_id": "pay-1", "amount_minor": 1_000, "occurred_at": moment, "business_date": moment[:10]}
    clawback = coalition.post("brand:1", "/v1/payment-refunds", refund).json()["operation"]["operation_id"]
    coalition.finish(clawback, "refused", "batch_expired")
    if failed:
        assert coalition.post("brand:1", "/v1/payment-refunds/r/failure", {"occurred_at": moment}).status_code in (201, 202)
    answer = coalition.post("brand:1", PATH.format(clawback), {})
    assert answer.status_code == (409 if failed else 202), answer.text
