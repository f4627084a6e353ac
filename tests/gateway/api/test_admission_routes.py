"""Admission criteria over HTTP: set by the operator, answered and signed with each approval of a registration, shown to the brand."""

from __future__ import annotations

from typing import Any

import pytest
from eth_keys.datatypes import PrivateKey

from gateway.ledger.admission import AdmissionCriteria, Checklist
from gateway.ledger.recover import recover_address
from gateway.values.hex import to_bytes
from gateway.values.ids import Hash
from tests.builders.offline_coalition import (
    ACT_OPERATION,
    APPROVER,
    GOVERNANCE,
    REGISTRATION,
    REGISTRATION_OPERATION,
    START,
    OfflineCoalition,
    approval_body,
    checklist_body,
)

CRITERIA = "/v1/coalition/admission-criteria"
APPROVALS = f"/v1/governance/acts/{REGISTRATION_OPERATION}/approvals"
ASKED = [
    {"name": "identity", "text": "Who owns the brand was seen by its papers"},
    {"name": "food_safety", "text": "Sells food with a licence"},
]
MET = {"criterion": "identity", "answer": "met", "note": "seen on 3 May"}
NOT_APPLICABLE = {"criterion": "food_safety", "answer": "not_applicable", "note": "sells none"}
STRANGER = PrivateKey((7_778).to_bytes(32))
OTHER_ACT = Hash(b"\x91" * 32)


@pytest.fixture
def joining(coalition: OfflineCoalition) -> OfflineCoalition:
    """Brand 1 waits for its one approval, and the coalition has two criteria."""
    coalition.brand(1)
    coalition.brand(2)
    coalition.put_registration(1)
    assert set_criteria(coalition, ASKED)["version"] == 1
    return coalition


def set_criteria(coalition: OfflineCoalition, criteria: list[dict[str, str]]) -> dict[str, Any]:
    answer = coalition.post("operator", CRITERIA, {"criteria": criteria})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def in_force(coalition: OfflineCoalition) -> dict[str, Any]:
    return dict(coalition.client.get(CRITERIA).json())


def signed(coalition: OfflineCoalition, *answers: dict[str, str], **how: Any) -> dict[str, Any]:
    checklist = checklist_body(in_force(coalition), list(answers or (MET, NOT_APPLICABLE)), **how)
    return {**approval_body(act=REGISTRATION), "checklist": checklist}


def approvers(coalition: OfflineCoalition) -> list[str]:
    return list(coalition.get("auditor", "/v1/governance/acts").json()["acts"][0]["approvers"])


def checklists(coalition: OfflineCoalition, who: str = "auditor") -> list[dict[str, Any]]:
    return list(coalition.get(who, "/v1/brands/1/admission").json()["checklists"])


def test_a_coalition_without_criteria_asks_for_none(coalition: OfflineCoalition) -> None:
    assert in_force(coalition)["version"] == 0
    assert (in_force(coalition)["criteria"], in_force(coalition)["set_at"]) == ([], None)
    coalition.brand(1)
    coalition.put_registration(1)
    assert coalition.post("operator", APPROVALS, approval_body(act=REGISTRATION)).status_code == 202
    assert approvers(coalition) == [APPROVER.public_key.to_address()]
    assert checklists(coalition) == []


def test_criteria_are_versions_and_the_same_list_is_no_new_one(coalition: OfflineCoalition) -> None:
    assert coalition.post("auditor", CRITERIA, {"criteria": ASKED}).status_code == 403
    assert [set_criteria(coalition, each)["version"] for each in (ASKED, ASKED, ASKED[::-1], [], [])] == [1, 1, 2, 3, 3]
    assert (in_force(coalition)["criteria"], in_force(coalition)["set_at"]) == ([], START)
    earlier = [coalition.client.get(f"{CRITERIA}?version={number}").json() for number in (1, 2, 3)]
    assert [(each["version"], each["criteria"]) for each in earlier] == [(1, ASKED), (2, ASKED[::-1]), (3, [])]
    assert earlier[2] == in_force(coalition)
    unknown = {each: coalition.client.get(f"{CRITERIA}?version={each}").json()["code"] for each in ("4", "0", "x", "1_0", str(2**31))}
    assert unknown == {"4": "not_found", "0": "invalid", "x": "invalid", "1_0": "invalid", str(2**31): "invalid"}


@pytest.mark.parametrize(
    "criteria",
    [
        [{"name": "Identity", "text": "x"}],
        [{"name": "identity", "text": ""}],
        [{"name": "identity", "text": "  "}],
        [{"name": "identity", "text": "x" * 501}],
        [{"name": "identity", "text": "turned \u202e round"}],
        [ASKED[0], ASKED[0]],
        [{"name": f"c{number}", "text": "x"} for number in range(51)],
        [{"name": "identity"}],
        None,
    ],
)
def test_criteria_that_are_none_are_refused(coalition: OfflineCoalition, criteria: Any) -> None:
    with coalition.no_trace():
        answer = coalition.post("operator", CRITERIA, {"criteria": criteria})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text


def test_an_approval_without_a_checklist_names_what_is_missing(joining: OfflineCoalition) -> None:
    answer = joining.post("operator", APPROVALS, approval_body(act=REGISTRATION))
    assert (answer.status_code, answer.json()["code"]) == (422, "checklist_incomplete")
    assert answer.json()["facts"] == {"version": 1, "missing": ["identity", "food_safety"]}
    for answers in ((MET,), (MET, {**NOT_APPLICABLE, "note": " "})):
        answer = joining.post("operator", APPROVALS, signed(joining, *answers))
        assert answer.json()["facts"] == {"version": 1, "missing": ["food_safety"]}, answer.text
    assert approvers(joining) == []


def test_a_whole_checklist_is_kept_and_shown_with_its_signer_and_moment(joining: OfflineCoalition) -> None:
    body = signed(joining)
    assert joining.post("operator", APPROVALS, body).status_code == 202
    assert approvers(joining) == [APPROVER.public_key.to_address()]
    (shown,) = checklists(joining)
    assert [checklists(joining, who) for who in ("operator", "brand:1")] == [[shown]] * 2
    assert joining.get("brand:2", "/v1/brands/1/admission").status_code == 404, "another brand's"
    assert (shown["approver"], shown["approved_at"], shown["version"]) == (APPROVER.public_key.to_address(), START, 1)
    assert [(each["text"], each["answer"], each["note"]) for each in shown["answers"]] == [
        (ASKED[0]["text"], "met", "seen on 3 May"),
        (ASKED[1]["text"], "not_applicable", "sells none"),
    ]
    set_criteria(joining, [])
    assert checklists(joining) == [shown], "as it was signed"


def test_whoever_reads_it_recomputes_the_signature_from_what_is_shown(joining: OfflineCoalition) -> None:
    joining.post("operator", APPROVALS, signed(joining))
    (shown,) = checklists(joining)
    criteria = AdmissionCriteria.parse(
        {"version": shown["version"], "criteria": [{k: a[k] for k in ("name", "text")} for a in shown["answers"]]}
    )
    assert str(criteria.hash) == shown["criteria_hash"]
    answers = [{"criterion": each["name"], "answer": each["answer"], "note": each["note"]} for each in shown["answers"]]
    checklist = Checklist.parse({"version": shown["version"], "answers": answers})
    digest = checklist.digest(GOVERNANCE, Hash.parse(shown["act_id"]), criteria, shown["approved_at"])
    assert str(recover_address(digest, to_bytes(shown["signature"]))) == shown["approver"]


@pytest.mark.parametrize(
    ("how", "field"),
    [({"key": STRANGER}, "checklist.signature"), ({"act": OTHER_ACT}, "checklist.signature"), ({"at": START + 1}, "checklist.signature")],
    ids=["by another", "for another act", "at another moment"],
)
def test_a_checklist_that_the_approver_did_not_sign_for_this_act_is_refused(
    joining: OfflineCoalition, how: dict[str, Any], field: str
) -> None:
    with joining.no_trace():
        answer = joining.post("operator", APPROVALS, signed(joining, **how))
    assert (answer.status_code, answer.json()["code"], answer.json()["facts"]["field"]) == (422, "invalid", field), answer.text


def test_other_answers_than_were_signed_are_refused(joining: OfflineCoalition) -> None:
    body = signed(joining)
    body["checklist"]["answers"][0]["note"] = "never seen"
    assert joining.post("operator", APPROVALS, body).json()["facts"]["field"] == "checklist.signature"


def test_a_checklist_of_an_earlier_version_is_refused(joining: OfflineCoalition) -> None:
    early = signed(joining)
    set_criteria(joining, ASKED[::-1])
    answer = joining.post("operator", APPROVALS, early)
    assert (answer.status_code, answer.json()["code"], answer.json()["facts"]["version"]) == (409, "wrong_state", 2)
    renumbered = {**early, "checklist": {**early["checklist"], "version": 2}}
    assert joining.post("operator", APPROVALS, renumbered).json()["facts"]["field"] == "checklist.signature", "signed over other texts"
    set_criteria(joining, [])
    assert joining.post("operator", APPROVALS, early).json()["code"] == "wrong_state", "nothing is asked any more"
    assert joining.post("operator", APPROVALS, approval_body(act=REGISTRATION)).status_code == 202


@pytest.mark.parametrize(
    "answers",
    [
        [MET, NOT_APPLICABLE, {"criterion": "unheard_of", "answer": "met"}],
        [MET, MET, NOT_APPLICABLE],
    ],
)
def test_answers_to_no_criterion_and_twice_are_refused(joining: OfflineCoalition, answers: list[dict[str, str]]) -> None:
    with joining.no_trace():
        answer = joining.post("operator", APPROVALS, signed(joining, *answers))
    assert (answer.status_code, answer.json()["code"], answer.json()["facts"]["field"]) == (422, "invalid", "checklist"), answer.text


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": "0x00"},
        {"version": 0},
        {"version": "1"},
        {"answers": [{"criterion": "identity", "answer": "not_met"}]},
        {"answers": [{**MET, "note": "x" * 501}]},
        {"answers": None},
        {"more": 1},
    ],
)
def test_a_malformed_checklist_is_refused(joining: OfflineCoalition, changed: dict[str, Any]) -> None:
    body = signed(joining)
    with joining.no_trace():
        answer = joining.post("operator", APPROVALS, {**body, "checklist": {**body["checklist"], **changed}})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), answer.text


def test_a_note_is_a_line_that_can_be_printed(joining: OfflineCoalition) -> None:
    body = signed(joining)
    body["checklist"]["answers"] = [{**MET, "note": "turned \u202e round"}, NOT_APPLICABLE]
    with joining.no_trace():
        answer = joining.post("operator", APPROVALS, body)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["facts"]["errors"]] == ["body.checklist.answers.0.note"]


def test_other_acts_are_approved_without(joining: OfflineCoalition) -> None:
    joining.put_pending_act(2)
    approvals = f"/v1/governance/acts/{ACT_OPERATION}/approvals"
    with_one = joining.post("operator", approvals, {**approval_body(), "checklist": signed(joining)["checklist"]})
    assert (with_one.status_code, with_one.json()["facts"]["field"]) == (422, "checklist")
    assert joining.post("operator", approvals, approval_body()).status_code == 202
