"""`splittally cancel | pause | unpause | propose-operator`: the guardian's own transactions, which no operator can keep from the ledger."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import click

from gateway.chain.artifacts import contract_named
from gateway.commands.running.meeting import Meeting, meet, named_act
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.ledger.governance import act_id
from gateway.second_people.check_act import ToldAct
from gateway.second_people.own_transaction import send_own
from gateway.values.errors import Invalid
from gateway.values.hex import BadHex
from gateway.values.ids import Address, Hash, OperationId


@troubles_named
def stop_act(act: str, as_json: bool, **place: Any) -> None:
    """By its operation or its own id; the latter alone does where the gateway tells of no such act."""
    meeting = meet(**place)
    _send(meeting, "Governance", "cancel", (named_act(meeting, act),), "The act is cancelled for good.", as_json)


@troubles_named
def pause_batches(as_json: bool, **place: Any) -> None:
    _send(meet(**place), "PointsLedger", "pause", (), "No batch is taken for 72 hours, or until `splittally unpause`.", as_json)


@troubles_named
def resume_batches(as_json: bool, **place: Any) -> None:
    _send(meet(**place), "PointsLedger", "unpause", (), "Batches are taken again.", as_json)


@troubles_named
def propose_operator(account: str, output: Path, as_json: bool, **place: Any) -> None:
    """The act goes into a file for the approvers, since the operator who is to go will not show it to them."""
    try:
        successor = Address.parse(account)
    except BadHex as wrong:
        raise Invalid(f"{account} is no address: 0x and 40 hex digits are due") from wrong
    meeting, salt = meet(**place), Hash(secrets.token_bytes(32))
    target, data = meeting.coalition.contracts["Governance"], contract_named("Governance").call("replaceOperator", successor)
    act = ToldAct(OperationId(""), act_id(target, data, salt), target, data, salt)
    output.write_text(json.dumps({"act": act.as_json()}, indent=1) + "\n")
    told = f"{successor} is proposed as the operator. Give {output} to the approvers, who `splittally approve` it after three delays"
    _send(meeting, "Governance", "proposeOperator", (successor, salt), told, as_json)


def _send(meeting: Meeting, contract: str, function: str, arguments: tuple[Any, ...], told: str, as_json: bool) -> None:
    data = contract_named(contract).call(function, *arguments)
    transaction = send_own(meeting.chain, meeting.person.account, meeting.coalition.contracts[contract], data)
    if as_json:
        print_json({"transaction": str(transaction), "function": function})
    else:
        click.echo(f"{told} ({transaction})")
