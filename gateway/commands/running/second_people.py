"""`splittally owner-key | acts | approve | veto`: whoever is asked for a second signature checks first, and by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway.chain.artifacts import contract_named
from gateway.commands.running.executing import act_in, keep_approval
from gateway.commands.running.meeting import meet, shown_act
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.ledger.governance import NO_PREDECESSOR, Approval, approval_digest, veto_digest
from gateway.second_people.act_words import moment_text
from gateway.second_people.check_act import CheckedAct
from gateway.second_people.own_transaction import send_own
from gateway.second_people.person import make_person, open_person
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import Invalid, Refusal, WrongState


@troubles_named
def make_key_of_person(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    _show_key(str(make_person(home, passphrase_file)), as_json)


@troubles_named
def show_address(home: Path, passphrase_file: Path | None, as_json: bool) -> None:
    _show_key(str(open_person(home, passphrase_file).address), as_json)


@troubles_named
def show_acts(as_json: bool, **place: Any) -> None:
    meeting = meet(**place)
    found: list[dict[str, Any]] = []
    for told in meeting.gateway.acts():
        try:
            checked = meeting.check(told)
        except Refusal as refused:
            found.append({"operation_id": told.operation_id, "act_id": str(told.act_id), "refused": refused.message})
            _tell(f"{told.operation_id}\n  DO NOT APPROVE: {refused.message}", as_json)
        else:
            found.append(shown_act(checked))
            _tell(_text(checked), as_json)
    if as_json:
        print_json(found)
    elif not found:
        click.echo("No act waits.")


@troubles_named
def approve(act: str, asked_directly: bool, good_for_days: int, output: Path | None, as_json: bool, **place: Any) -> None:
    meeting = meet(**place)
    file = Path(act) if Path(act).is_file() else None
    if file is not None and output is None:
        raise Invalid("the gateway takes no approval of an act that it did not propose: name a file for it with -o")
    checked = meeting.check(meeting.gateway.act(act) if file is None else act_in(file))
    _tell(_text(checked), as_json)
    now = meeting.now
    if now < checked.signable_from:
        raise WrongState(
            f"approve it from {moment_text(checked.signable_from)} on: until then everybody may look at it and stop it",
            signable_from=checked.signable_from,
        )
    if not asked_directly and not (not as_json and click.confirm("Have you asked the brand concerned, not by way of the operator?")):
        raise Invalid("ask the brand concerned directly first, then say so with --asked-directly")
    good_until = now + good_for_days * SECONDS_PER_DAY
    digest = approval_digest(meeting.coalition.domain("Governance"), checked.told.act_id, now, good_until)
    given = Approval(now, good_until, meeting.person.sign(digest))
    if output is not None:
        keep_approval(output, checked.told, given)
    status = "kept" if file is not None else meeting.gateway.send_approval(checked.told.operation_id, given)["status"]
    if as_json:
        print_json({**shown_act(checked), "approver": str(meeting.person.address), "approved_at": now, "status": status})
    else:
        click.echo(f"Approved by {meeting.person.address}, good until {moment_text(good_until)}.")


@troubles_named
def veto(act: str, sends_itself: bool, as_json: bool, **place: Any) -> None:
    meeting = meet(**place)
    told = meeting.gateway.act(act)
    checked = meeting.check(told)
    if checked.call.function != "setBrandOwner" or checked.call.brand_id is None:
        raise Invalid(f"an owner vetoes the act that replaces the owner, not this: {checked.words}; ask the guardian to stop it")
    _tell(_text(checked), as_json)
    signature = meeting.person.sign(veto_digest(meeting.coalition.domain("Governance"), told.act_id, checked.call.brand_id))
    if not sends_itself:
        sent = {"status": meeting.gateway.send_veto(told.operation_id, signature)["status"], "transaction": None}
    else:
        data = contract_named("Governance").call("veto", told.target, 0, told.data, NO_PREDECESSOR, told.salt, signature)
        transaction = send_own(meeting.chain, meeting.person.account, meeting.coalition.contracts["Governance"], data)
        sent = {"status": "vetoed", "transaction": str(transaction)}
    if as_json:
        print_json({**shown_act(checked), "owner": str(meeting.person.address), **sent})
    else:
        click.echo(f"Vetoed by {meeting.person.address}.")


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
