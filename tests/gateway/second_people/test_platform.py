"""A platform brings its merchants along by the API alone; each approver looks at all of them and signs in one run of one command."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.audit.case import open_case
from gateway.audit.evidence import Evidence
from gateway.audit.gather_chain import gather_chain
from gateway.audit.gather_store import gather_store
from gateway.audit.invariants import check
from gateway.commands.running.checklists import Answered, answered_criteria
from gateway.ledger.admission import AdmissionCriteria, Criterion
from gateway.second_people.person import make_person, open_person
from gateway.store.session import Database
from gateway.values.errors import WrongState
from tests.builders.commanded_coalition import APPROVERS, NEEDED, START, CommandedCoalition
from tests.node.running_node import ROOT, throwaway_account

MERCHANTS = range(20, 40)
JOINING = range(50, 53)  # once there are criteria
GUIDE = (ROOT / "docs/guides/from-test-to-live.md").read_text()
CRITERIA, CHECKLIST = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL))
ANSWERS = CHECKLIST["answers"]


def test_twenty_merchants_join_by_the_api_with_one_run_of_each_approver(commanded: CommandedCoalition) -> None:
    for merchant in MERCHANTS:
        commanded.post("/v1/brands", _registration(merchant))
        commanded.post(f"/v1/brands/{merchant}/rules", {"points": merchant, "per_minor": 100})
        assert commanded.post(f"/v1/brands/{merchant}/api-keys", {"label": "till"})["token"]
    operations = [commanded.get(f"/v1/brands/{merchant}")["operation_id"] for merchant in MERCHANTS]
    for operation_id in operations:
        commanded.proposed(operation_id)
    first, *others = APPROVERS[:NEEDED]
    early = commanded.command("approve", *operations, "--asked-directly", person=first, succeeds=False)
    assert early["code"] == "wrong_state"
    for name in others:
        commanded.command("acts", person=name)
    commanded.wait_out()

    mixed = commanded.command("approve", *operations[:2], "unheard-of", "--asked-directly", person=first, succeeds=False)
    assert mixed["code"] == "not_found"
    shown = commanded.get("/v1/governance/acts")["acts"]
    assert [act["approvers"] for act in shown] == [[]] * len(MERCHANTS), "none is signed where one cannot be"

    for name in (first, *others):
        approved = commanded.command("approve", *operations, "--asked-directly", person=name)
        assert [each["operation_id"] for each in approved] == operations
    for operation_id in operations:
        commanded.ended(operation_id, "confirmed")
    brands = [commanded.get(f"/v1/brands/{merchant}") for merchant in MERCHANTS]
    assert {brand["status"] for brand in brands} == {"active"}
    assert [brand["rules"][-1]["points"] for brand in brands] == list(MERCHANTS), "each with a programme of its own"


def test_each_approver_signs_one_checklist_for_all_that_join(commanded: CommandedCoalition, tmp_path: Path) -> None:
    assert commanded.by_operator("admission", "set", _file(tmp_path, CRITERIA))["version"] == 1
    shown = commanded.command("admission", "show", "--gateway", commanded.url)
    assert (shown["version"], shown["criteria"]) == (1, CRITERIA)
    operations = [commanded.post("/v1/brands", _registration(each))["operation"]["operation_id"] for each in JOINING]
    for operation_id in operations:
        commanded.proposed(operation_id)
    first, second = APPROVERS[:NEEDED]
    for name in (first, second):
        commanded.command("acts", person=name)
    commanded.wait_out()

    approve = ("approve", *operations, "--asked-directly")
    missing = commanded.command(*approve, person=first, succeeds=False)
    assert (missing["code"], missing["facts"]["missing"]) == ("checklist_incomplete", ["identity", "food"])
    for answers, code in (
        ({"version": 1, "answers": ANSWERS[:1]}, "checklist_incomplete"),
        ({"version": 1, "answers": [*ANSWERS, {"criterion": "unheard_of", "answer": "met"}]}, "invalid"),
        ({"version": 2, "answers": ANSWERS}, "wrong_state"),
        ([], "invalid"),
    ):
        refused = commanded.command(*approve, "--checklist", _file(tmp_path, answers), person=first, succeeds=False)
        assert refused["code"] == code, refused
    assert "does not meet food" in commanded.told(*approve, person=first, succeeds=False, typed="met\n\nno\n")
    waiting = [act for act in commanded.get("/v1/governance/acts")["acts"] if act["operation_id"] in operations]
    assert [act["approvers"] for act in waiting] == [[]] * 3, "nothing was signed"

    by_file = _file(tmp_path, CHECKLIST)
    assert [each["criteria_version"] for each in commanded.command(*approve, "--checklist", by_file, person=first)] == [1] * 3
    typed = "met\nseen\nnot_applicable\nsells none\n"
    commanded.told("approve", operations[0], "--asked-directly", person=second, typed=typed)
    commanded.ended(operations[0], "confirmed")
    asked = commanded.told(*approve, person=second, typed=2 * typed)  # with what is left
    assert CRITERIA[1]["text"] in asked
    assert f"{operations[0]}  executed already" in asked
    for operation_id in operations:
        commanded.ended(operation_id, "confirmed")
    again = commanded.command(*approve, person=first, succeeds=False)
    assert (again["code"], "executed already" in again["detail"]) == ("wrong_state", True)
    for brand_id in JOINING:
        signed = commanded.get(f"/v1/brands/{brand_id}/admission")["checklists"]
        assert {each["approver"] for each in signed} == {commanded.account(name).address.lower() for name in (first, second)}
        assert {tuple((one["answer"], one["note"]) for one in each["answers"]) for each in signed} == {
            (("met", ""), ("not_applicable", "sells none")),
            (("met", "seen"), ("not_applicable", "sells none")),
        }


def test_the_audit_recomputes_what_was_signed(commanded: CommandedCoalition) -> None:
    """Of the coalition in which the three have joined."""
    approver = commanded.account(APPROVERS[0]).address.lower()
    of_first = (bytes.fromhex(approver[2:]),)
    file = commanded.operator_folder / "gateway.sqlite3"
    with closing(Database(f"sqlite:///{file}")) as database, closing(sqlite3.connect(file, isolation_level=None)) as rows:
        store = gather_store(database)
        head = max(store.projection["ledger_blocks"])[0]
        case = open_case(Evidence(gather_chain(commanded.chain, store.coalition, head), store, START))

        def found() -> list[str]:
            """Of the rows as they are now."""
            (verdict,) = check(replace(case, evidence=replace(case.evidence, store=gather_store(database))), (11,))
            return list(verdict.findings)

        assert found() == []
        (kept,) = rows.execute("SELECT answers FROM admission_checklists WHERE approver = ?", of_first).fetchone()
        for damaged in (kept.replace('"met"', '"not_applicable"'), kept.replace('"sells', '"never sells'), kept[:-1], "[]"):
            rows.execute("UPDATE admission_checklists SET answers = ? WHERE answers = ?", (damaged, kept))
            assert [f"is not signed by approver {approver}" in each for each in found()] == [True] * 3
            rows.execute("UPDATE admission_checklists SET answers = ? WHERE answers = ?", (kept, damaged))
        assert found() == []
        rows.execute("DELETE FROM admission_checklists WHERE approver = ?", of_first)
        assert found() == [f"approver {approver} let brand {each} in without a checklist of the admission criteria" for each in JOINING]


def test_nobody_signs_by_criteria_that_went_back(tmp_path: Path) -> None:
    make_person(tmp_path / "ann")
    ann = open_person(tmp_path / "ann")
    first, second = (AdmissionCriteria(number, (Criterion("identity", f"text {number}"),)) for number in (1, 2))
    ann.check_criteria(first)
    ann.note_criteria(second)
    ann.check_criteria(second)
    ann.check_criteria(AdmissionCriteria(3))
    with pytest.raises(WrongState, match="no operator sets so many"):  # once signed, the true ones would be earlier
        ann.check_criteria(AdmissionCriteria(10**12, second.criteria))
    for told in (first, AdmissionCriteria(), AdmissionCriteria(2, first.criteria)):
        with pytest.raises(WrongState, match="ask the other people why"):
            ann.check_criteria(told)


@pytest.mark.parametrize("version", [2, 1_000])
def test_nobody_is_taken_past_criteria_in_silence(tmp_path: Path, version: int) -> None:
    make_person(tmp_path / "ann")
    ann, told = open_person(tmp_path / "ann"), AdmissionCriteria(version)
    meeting: Any = SimpleNamespace(person=ann, gateway=SimpleNamespace(admission_criteria=lambda: told))
    registration: Any = SimpleNamespace(call=SimpleNamespace(function="registerBrand"))

    def answered(typed: str = "", **how: bool) -> Answered:
        with CliRunner().isolation(input=typed):
            return answered_criteria(meeting, [registration], None, **{"as_json": False, **how})

    assert answered().by_act == {}, "who never signed by any knows of none"
    ann.note_criteria(AdmissionCriteria(1, (Criterion("identity", "who it is"),)))
    for refused in (lambda: answered("n\n"), lambda: answered(as_json=True)):
        with pytest.raises(WrongState, match="asks for nothing; you signed by version 1"):
            refused()
    assert (answered("y\n").by_act, answered(as_json=True, none_are_due=True).by_act) == ({}, {})
    assert ann.signed_criteria() == 1, "nothing was signed by these"


def _file(folder: Path, content: Any) -> str:
    path = folder / "file.json"
    path.write_text(json.dumps(content))
    return str(path)


def _registration(merchant: int) -> dict[str, Any]:
    return {
        "brand_id": merchant,
        "name": f"Merchant {merchant}",
        "key_address": throwaway_account(f"batch key {merchant}").address,
        "signer_url": "http://127.0.0.1:9",
        "signer_token": "t" * 32,
        "reference_secret": "0x" + f"{merchant:02x}" * 32,
        "issue_limit": 1_000 * merchant,
        "par": {"numerator": 1, "denominator": 1},
        "redemption": {"numerator": 1, "denominator": 1},
        "lot_validity_months": 12,
        "owner_address": throwaway_account(f"owner {merchant}").address,
    }
