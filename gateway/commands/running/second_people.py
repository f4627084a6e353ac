"""`splittally owner-key | acts | approve | veto`: whoever is asked for a second signature checks first, and by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.chain.artifacts import contract_named
from gateway.commands.running.checklists import answered_criteria
from gateway.commands.running.executing import act_in, keep_approval
from gateway.commands.running.meeting import Meeting, meet, named_act, shown_act
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.ledger.governance import Approval, approval_digest, veto_digest
from gateway.second_people.act_words import moment_text
from gateway.second_people.check_act import CheckedAct, ToldAct
from gateway.second_people.own_transaction import send_own
from gateway.second_people.person import make_person, open_person
from gateway.second_people.scheduled_acts import ScheduledAct
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import Invalid, NotFound, Refusal, Unavailable, WrongState
from gateway.values.hex import BadHex
from gateway.values.ids import Hash


@troubles_named
def make_key_of_person(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    _show_key(str(make_person(home, passphrase_file)), as_json)


@troubles_named
def show_address(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    _show_key(str(open_person(home, passphrase_file).address), as_json)


@troubles_named
def show_acts(as_json: bool, **place: Any) -> None:
    """Of the chain and of the gateway: the chain is asked first, so that what is proposed meanwhile is not taken for hidden."""
    meeting = meet(**place)
    standing, shown = meeting.standing(), _shown_by_gateway(meeting, as_json)
    found: list[dict[str, Any]] = []
    for told in shown:
        try:
            checked = meeting.check(told)
        except Refusal as refused:
            found.append({"operation_id": told.operation_id, "act_id": str(told.act_id), "refused": refused.message})
            _tell(f"{told.operation_id}\n  DO NOT APPROVE: {refused.message}", as_json)
        else:
            found.append(shown_act(checked) | {"shown_by_gateway": True})
            _tell(_text(checked), as_json)
    told_truly = {told.act_id for told in shown if told.is_of_its_call}
    for act in standing:
        if act.act_id not in told_truly:
            found.append(_on_chain(act, meeting) | {"shown_by_gateway": False})
            _tell(_hidden_text(act, meeting), as_json)
    if as_json:
        print_json(found)
    elif not found:
        click.echo("No act waits.")


@troubles_named
def approve(
    acts: tuple[str, ...],
    asked_directly: bool,
    good_for_days: int,
    output: Path | None,
    checklist: Path | None,
    no_criteria: bool,
    as_json: bool,
    **place: Any,
) -> None:
    """All that still wait are checked before the first is signed. What a file alone keeps goes by no gateway and has no checklist."""
    if output is not None and len(acts) > 1:
        raise Invalid("-o keeps the approval of one act: name one alone")
    meeting = meet(**place)
    found = {act: _checked(meeting, act, output) for act in dict.fromkeys(acts)}
    checked, executed = [act for act in found.values() if act is not None], [name for name, act in found.items() if act is None]
    if not checked:
        raise WrongState(f"{', '.join(executed)}: executed already, there is nothing to approve")
    _tell("\n".join([*(f"{name}  executed already" for name in executed), *map(_text, checked)]), as_json)
    now, signable_from = meeting.now, max(act.signable_from for act in checked)
    if now < signable_from:
        raise WrongState(
            f"approve it from {moment_text(signable_from)} on: until then everybody may look at it and stop it",
            signable_from=signable_from,
        )
    if not asked_directly and not (not as_json and click.confirm("Have you asked the brand concerned, not by way of the operator?")):
        raise Invalid("ask the brand concerned directly first, then say so with --asked-directly")
    is_kept = Path(acts[0]).is_file()
    if is_kept and checked[0].call.function == "registerBrand":
        _tell("No checklist is signed: the gateway keeps it, and takes no approval from a file.", as_json)
    answered = answered_criteria(meeting, [] if is_kept else checked, checklist, as_json, none_are_due=no_criteria)
    good_until = now + good_for_days * SECONDS_PER_DAY
    approved = []
    for act in checked:
        digest = approval_digest(meeting.coalition.domain("Governance"), act.told.act_id, now, good_until)
        given, signed = Approval(now, good_until, meeting.person.sign(digest)), answered.signed(meeting, act.told.act_id, now)
        if output is not None:
            keep_approval(output, act.told, given)
        status = "kept" if is_kept else meeting.gateway.send_approval(act.told.operation_id, given, signed)["status"]
        if signed is not None and not is_kept:
            meeting.person.note_criteria(answered.criteria)
        by = {"approver": str(meeting.person.address), "approved_at": now, "criteria_version": signed and signed.checklist.version}
        approved.append({**shown_act(act), **by, "status": status})
    approved += [{"operation_id": name, "status": "executed"} for name in executed]
    if as_json:
        print_json(approved if len(found) > 1 else approved[0])
    else:
        click.echo(f"Approved by {meeting.person.address}, good until {moment_text(good_until)}.")


def _checked(meeting: Meeting, act: str, output: Path | None) -> CheckedAct | None:
    """None for what was executed: by the chain, or where the gateway lists it no more by its word, by which nothing is signed."""
    file = Path(act) if Path(act).is_file() else None
    if file is not None and output is None:
        raise Invalid("the gateway takes no approval of an act that it did not propose: name a file for it with -o")
    try:
        told = meeting.gateway.act(act) if file is None else act_in(file)
    except NotFound:
        if not _is_executed(meeting, act):
            raise
        return None
    return None if meeting.ledger.is_executed(told.act_id) else meeting.check(told)


def _is_executed(meeting: Meeting, act: str) -> bool:
    try:
        return meeting.ledger.is_executed(Hash.parse(act))
    except BadHex:
        return meeting.gateway.is_executed(act)


@troubles_named
def veto(act: str, sends_itself: bool, as_json: bool, **place: Any) -> None:
    """What is vetoed is read from the chain; the gateway names the act where its operation is asked for, and relays the signature."""
    meeting = meet(**place)
    found = meeting.scheduled(named_act(meeting, act))
    call = found.calls[0]
    brand_id = call.replaces_owner_of(meeting.coalition)
    if brand_id is None or len(found.calls) > 1:
        told = found.words(meeting.coalition)
        raise Invalid(f"an owner vetoes the act that replaces the owner, not this: {told}; ask the guardian to stop it")
    _tell(f"{found.act_id}  {found.words(meeting.coalition)}", as_json)
    signature = meeting.person.sign(veto_digest(meeting.coalition.domain("Governance"), found.act_id, brand_id))
    sent: dict[str, str | None]
    if sends_itself:
        arguments = call.target, call.value, call.data, found.predecessor, found.salt, signature
        data = contract_named("Governance").call("veto", *arguments)
        transaction = send_own(meeting.chain, meeting.person.account, meeting.coalition.contracts["Governance"], data)
        sent = {"status": "vetoed", "transaction": str(transaction)}
    else:
        sent = {"status": _relayed(meeting, found, signature), "transaction": None}
    if as_json:
        print_json({**_on_chain(found, meeting), "owner": str(meeting.person.address), **sent})
    else:
        click.echo(f"Vetoed by {meeting.person.address} ({sent['status']}).")


def _shown_by_gateway(meeting: Meeting, as_json: bool) -> list[ToldAct]:
    """Nothing where it tells nothing that can be read: what stands on the chain is shown all the same."""
    try:
        return meeting.gateway.acts()
    except Refusal as refused:
        _tell(f"What follows is from the chain alone: {refused.message}", as_json)
        return []


def _relayed(meeting: Meeting, act: ScheduledAct, signature: bytes) -> str:
    try:
        operation_id = meeting.gateway.act(str(act.act_id)).operation_id
        return str(meeting.gateway.send_veto(operation_id, signature)["status"])
    except Refusal as refused:
        raise Unavailable(
            f"the gateway does not relay this veto ({refused.message}): send it yourself with --own-account, from an account that has ether"
        ) from refused


def _on_chain(act: ScheduledAct, meeting: Meeting) -> dict[str, Any]:
    """An act by the chain alone as JSON."""
    return {"act_id": str(act.act_id), "words": act.words(meeting.coalition), "ready_at": act.ready_at}


def _hidden_text(act: ScheduledAct, meeting: Meeting) -> str:
    is_vetoed = any(call.replaces_owner_of(meeting.coalition) is not None for call in act.calls)
    stop = f"`splittally cancel {act.act_id}` is the guardian's"
    if is_vetoed:
        stop += f", `splittally veto {act.act_id} --own-account` the owner's"
    lines = [f"{act.act_id}  {act.words(meeting.coalition)}", "  THE GATEWAY DOES NOT SHOW THIS ACT, which stands on the chain: ask why"]
    return "\n".join([*lines, f"  may be executed, once approved, from {moment_text(act.ready_at)} on; {stop}"])


def _show_key(address: str, as_json: bool) -> None:
    if as_json:
        print_json({"address": address})
    else:
        click.echo(address)


def _tell(text: str, as_json: bool) -> None:
    if not as_json:
        click.echo(text)


def _text(act: CheckedAct) -> str:
    changes = [f"  {name}: {_value(before)} → {_value(after)}" for name, (before, after) in act.changes.items()]
    lines = [f"{act.told.operation_id}  {act.words}", *(changes or ["  changes nothing of what holds"])]
    return "\n".join([*lines, f"  may be approved from {moment_text(act.signable_from)} on"])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
