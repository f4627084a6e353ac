"""Acts of governance over HTTP: what waits is shown, and only a good approval by an approver is stored."""

from __future__ import annotations

from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey

from tests.builders.offline_coalition import (
    ACT,
    ACT_OPERATION,
    APPROVER,
    OWNER,
    START,
    SUCCESSION_OPERATION,
    OfflineCoalition,
    approval_body,
    document_body,
    veto_body,
)

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


def test_the_owners_veto_is_relayed_and_nobody_elses(waiting: OfflineCoalition) -> None:
    waiting.put_succession()
    veto = f"/v1/governance/acts/{SUCCESSION_OPERATION}/veto"
    for body in (veto_body(APPROVER), veto_body(act=ACT)):
        assert waiting.post("auditor", veto, body).json()["code"] == "invalid"
    assert waiting.post("auditor", f"/v1/governance/acts/{ACT_OPERATION}/veto", veto_body()).json()["code"] == "invalid", "another act"
    answer = waiting.post("auditor", veto, veto_body())
    assert (answer.status_code, answer.json()["kind"], answer.json()["status"]) == (202, "veto_act", "accepted"), answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("approvers", {"approvers": ["0x" + "71" * 20] * 2, "approvals_needed": 1}),
        ("approvers", {"approvers": ["0x" + "71" * 20], "approvals_needed": 2}),
        ("guardian", {"account": APPROVER.public_key.to_address()}),
        ("operator", {"account": APPROVER.public_key.to_address()}),
        ("delay", {"delay_seconds": 30 * 86_400 + 1}),
    ],
)
def test_what_governance_would_refuse_after_its_delay_is_not_proposed(coalition: OfflineCoalition, path: str, body: dict[str, Any]) -> None:
    answer = coalition.post("operator", f"/v1/governance/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text


def test_a_brand_is_shown_with_its_owner_terms_and_keys(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    brand = coalition.get("auditor", "/v1/brands/1").json()
    assert (brand["owner_address"], brand["owner_acts"], brand["last_day"]) == (OWNER.public_key.to_address(), 0, 0)
    assert (brand["held_terms"]["number"], brand["announced_terms"]) == (1, None)


def test_a_brands_documents_are_its_owners_in_their_order(coalition: OfflineCoalition) -> None:
    coalition.brand(1)
    documents = "/v1/brands/1/documents"
    for body in (document_body(key=APPROVER), {**document_body(), "agent_address": "0x" + "02" * 20}, document_body(2)):
        assert coalition.post("operator", documents, body).status_code in (409, 422)
    first, second = (coalition.post("operator", documents, document_body(number)) for number in (1, 2))
    assert (first.status_code, second.status_code) == (201, 201), first.text
    assert coalition.get("auditor", documents).json() == [first.json(), second.json()]
