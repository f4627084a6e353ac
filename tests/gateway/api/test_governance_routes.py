"""Acts of governance over HTTP: what waits is shown, and only a good approval by an approver is stored."""

from __future__ import annotations

from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey

from tests.builders.offline_coalition import ACT, ACT_OPERATION, APPROVER, START, OfflineCoalition, approval_body

APPROVALS = f"/v1/governance/acts/{ACT_OPERATION}/approvals"


@pytest.fixture
def waiting(coalition: OfflineCoalition) -> OfflineCoalition:
    coalition.brand(1)
    coalition.put_pending_act()
    return coalition


def pending(coalition: OfflineCoalition) -> list[dict[str, Any]]:
    acts: list[dict[str, Any]] = coalition.get("auditor", "/v1/governance/acts").json()["acts"]
    return acts


def test_what_waits_is_shown_with_who_approved_it(waiting: OfflineCoalition) -> None:
    (act,) = pending(waiting)
    assert (act["act_id"], act["operation_id"], act["kind"], act["brand_id"]) == (str(ACT), ACT_OPERATION, "set_brand_limit", 1)
    assert (act["ready_at"], act["approvers"]) == (START, [])
    answer = waiting.post("operator", APPROVALS, approval_body())
    assert (answer.status_code, answer.json()["status"]) == (202, "proposed")
    assert pending(waiting)[0]["approvers"] == [APPROVER.public_key.to_address()]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (approval_body(approved_at=START - 1), 409, "wrong_state"),
        (approval_body(good_until=START), 422, "invalid"),
        (approval_body(key=PrivateKey((7_778).to_bytes(32))), 422, "invalid"),
        ({**approval_body(), "approved_at": START + 1}, 422, "invalid"),
    ],
    ids=["before the delay is over", "good no more", "by nobody", "another approval signed"],
)
def test_an_approval_that_would_not_count_is_refused(waiting: OfflineCoalition, body: dict[str, Any], status: int, code: str) -> None:
    answer = waiting.post("operator", APPROVALS, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert pending(waiting)[0]["approvers"] == []


def test_an_act_that_does_not_wait_is_approved_by_nobody(coalition: OfflineCoalition) -> None:
    assert coalition.post("operator", APPROVALS, approval_body()).status_code == 404
