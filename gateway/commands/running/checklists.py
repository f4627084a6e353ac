"""What an approver says of the coalition's admission criteria before a brand is let in: from a file, or asked for one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.commands.running.meeting import Meeting
from gateway.governance.check_checklist import check_whole, incomplete
from gateway.ledger.admission import MET, NOT_APPLICABLE, AdmissionCriteria, Checklist, CriterionAnswer, SignedChecklist
from gateway.second_people.check_act import CheckedAct
from gateway.values.errors import Invalid, WrongState
from gateway.values.ids import Hash

_NOT_MET = "no"


@dataclass(frozen=True, slots=True)
class Answered:
    """The criteria as they were shown, and the answers to them by act."""

    criteria: AdmissionCriteria
    by_act: Mapping[Hash, Checklist]

    def signed(self, meeting: Meeting, act: Hash, approved_at: int) -> SignedChecklist | None:
        """With the key of the approval, for this act and the approval's moment; None for an act that is approved without."""
        checklist = self.by_act.get(act)
        if checklist is None:
            return None
        digest = checklist.digest(meeting.coalition.domain("Governance"), act, self.criteria, approved_at)
        return SignedChecklist(checklist, meeting.person.sign(digest))


def answered_criteria(
    meeting: Meeting, acts: Sequence[CheckedAct], file: Path | None, as_json: bool, *, none_are_due: bool = False
) -> Answered:
    """Of all acts that let a brand in. Refuses what is not whole, before anything is signed. `none_are_due`: this person knows that the
    criteria by which it signed before were ended."""
    registrations = [act for act in acts if act.call.function == "registerBrand"]
    if not registrations:
        return Answered(AdmissionCriteria(), {})
    criteria = meeting.gateway.admission_criteria()
    meeting.person.check_criteria(criteria)
    if file is not None:
        checklist = _checklist_in(file)
        check_whole(checklist, criteria)
        return Answered(criteria, {act.told.act_id: checklist for act in registrations})
    if not criteria.criteria:
        _check_ended(meeting.person.signed_criteria(), criteria, none_are_due, as_json)
        return Answered(criteria, {})
    if as_json:
        raise incomplete(criteria, criteria.names)
    return Answered(criteria, {act.told.act_id: _asked(act, criteria) for act in registrations})


def _check_ended(signed_by: int, criteria: AdmissionCriteria, none_are_due: bool, as_json: bool) -> None:
    """Who signed by criteria before is not taken past them in silence."""
    if not signed_by or none_are_due:
        return
    told = (
        f"The gateway shows version {criteria.version} of the admission criteria, which asks for nothing; you signed by version {signed_by}"
    )
    if as_json or not click.confirm(f"{told}. Do the other people know that they were ended? Approve without a checklist?"):
        raise WrongState(f"{told}: ask the other people whether they were ended, and say so with --no-criteria; nothing was signed")


def _asked(act: CheckedAct, criteria: AdmissionCriteria) -> Checklist:
    """By whoever sits there."""
    click.echo(f"{act.words}\nAdmission criteria, version {criteria.version}: is each of them met?")
    answers = []
    for each in criteria.criteria:
        said = click.prompt(f"  {each.name}: {each.text}", type=click.Choice([MET, NOT_APPLICABLE, _NOT_MET]))
        if said == _NOT_MET:
            raise WrongState(f"brand {act.call.brand_id} does not meet {each.name}: nothing was signed; tell the operator")
        note = click.prompt("    why not") if said == NOT_APPLICABLE else click.prompt("    note", default="", show_default=False)
        answers.append(CriterionAnswer(each.name, said, note))
    checklist = Checklist(criteria.version, tuple(answers))
    check_whole(checklist, criteria)
    return checklist


def _checklist_in(file: Path) -> Checklist:
    try:
        return Checklist.parse(json.loads(file.read_text()))
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise Invalid(
            f'{file} is no checklist: write {{"version": 1, "answers": [{{"criterion": "NAME", "answer": "met"}}, '
            '{"criterion": "NAME", "answer": "not_applicable", "note": "WHY"}]}'
        ) from wrong
