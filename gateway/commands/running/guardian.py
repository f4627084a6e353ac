"""`splittally cancel | pause | unpause | propose-operator`: the guardian's own transactions, which no operator can keep from the ledger."""

from __future__ import annotations

import secrets
from typing import Any

import click

from gateway.chain.artifacts import contract_named
from gateway.commands.running.meeting import Meeting, meet
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.second_people.own_transaction import send_own
from gateway.values.errors import Invalid
from gateway.values.hex import BadHex
from gateway.values.ids import Address, Hash


@troubles_named
def stop_act(act: str, as_json: bool, **place: Any) -> None:
    """By its operation or its own id; the latter alone does where the gateway tells of no such act."""
    meeting = meet(**place)
    _send(meeting, "Governance", "cancel", (_act_id(meeting, act),), "The act is cancelled for good.", as_json)


@troubles_named
def pause_batches(as_json: bool, **place: Any) -> None:
    _send(meet(**place), "PointsLedger", "pause", (), "No batch is taken for 72 hours, or until `splittally unpause`.", as_json)


@troubles_named
def resume_batches(as_json: bool, **place: Any) -> None:
    _send(meet(**place), "PointsLedger", "unpause", (), "Batches are taken again.", as_json)


@troubles_named
def propose_operator(account: str, as_json: bool, **place: Any) -> None:
    try:
        successor = Address.parse(account)
    except BadHex as wrong:
        raise Invalid(f"{account} is no address: 0x and 40 hex digits are due") from wrong
    arguments = (successor, secrets.token_bytes(32))
    _send(meet(**place), "Governance", "proposeOperator", arguments, f"{successor} is proposed as the operator.", as_json)


def _act_id(meeting: Meeting, act: str) -> Hash:
    try:
        return Hash.parse(act)
    except BadHex:
        return meeting.gateway.act(act).act_id


def _send(meeting: Meeting, contract: str, function: str, arguments: tuple[Any, ...], told: str, as_json: bool) -> None:
    data = contract_named(contract).call(function, *arguments)
    transaction = send_own(meeting.own_chain(), meeting.person.account, meeting.coalition.contracts[contract], data)
    if as_json:
        print_json({"transaction": str(transaction), "function": function})
    else:
        click.echo(f"{told} ({transaction})")
