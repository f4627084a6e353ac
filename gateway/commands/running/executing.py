"""`splittally approve -o FILE` and `execute FILE…`: an act with enough approvals is executed by anybody, without the operator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gateway.chain.artifacts import contract_named
from gateway.commands.running.meeting import meet
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.ledger.governance import NO_PREDECESSOR, Approval, approval_digest
from gateway.ledger.recover import recover_address
from gateway.ledger.signing import Domain
from gateway.second_people.check_act import ToldAct
from gateway.second_people.own_transaction import send_own
from gateway.values.errors import Invalid
from gateway.values.hex import BadHex, hex_text, to_bytes
from gateway.values.ids import Address

_GAS = 3_000_000  # the largest act registers a brand; what is not used is not paid


def keep_approval(file: Path, told: ToldAct, given: Approval) -> None:
    """All that an execution needs of it, beside the other approvals."""
    approval = {"approved_at": given.approved_at, "good_until": given.good_until, "signature": hex_text(given.signature)}
    file.write_text(json.dumps({"act": told.as_json(), "approval": approval}, indent=1) + "\n")


def act_in(file: Path) -> ToldAct:
    """The act of a file that `splittally propose-operator` or `approve -o` wrote."""
    try:
        return ToldAct.parse(json.loads(file.read_text())["act"])
    except (ValueError, KeyError, TypeError, BadHex) as wrong:
        raise Invalid(f"{file} tells of no act: ask for the file that `splittally propose-operator` or `approve -o` wrote") from wrong


@troubles_named
def execute_act(approvals: Sequence[Path], as_json: bool, **place: Any) -> None:
    meeting = meet(**place)
    read = [_approval(file) for file in approvals]
    told = read[0][0]
    other = next((file for file, (act, _) in zip(approvals, read, strict=True) if act.act_id != told.act_id), None)
    if other is not None:
        raise Invalid(f"{other} is of another act than {approvals[0]}: name the approvals of one act")
    checked = meeting.check(told)
    domain = meeting.coalition.domain("Governance")
    by_approver = {_approver(domain, act, given): given for act, given in read}
    ascending = [by_approver[account] for account in sorted(by_approver)]
    signed = [(each.approved_at, each.good_until, each.signature) for each in ascending]
    data = contract_named("Governance").call("executeApproved", told.target, 0, told.data, NO_PREDECESSOR, told.salt, signed)
    transaction = send_own(meeting.chain, meeting.person.account, meeting.coalition.contracts["Governance"], data, gas=_GAS)
    if as_json:
        print_json({"act_id": str(told.act_id), "words": checked.words, "transaction": str(transaction)})
    else:
        click.echo(f"Executed: {checked.words} (transaction {transaction}).")


def _approval(file: Path) -> tuple[ToldAct, Approval]:
    try:
        given = json.loads(file.read_text())["approval"]
        return act_in(file), Approval(int(given["approved_at"]), int(given["good_until"]), to_bytes(given["signature"], 65))
    except (ValueError, KeyError, TypeError, BadHex) as wrong:
        raise Invalid(f"{file} is no approval: ask its approver for the file that `splittally approve -o` wrote") from wrong


def _approver(domain: Domain, told: ToldAct, given: Approval) -> Address:
    signer = recover_address(approval_digest(domain, told.act_id, given.approved_at, given.good_until), given.signature)
    if signer is None:
        raise Invalid(f"an approval of act {told.act_id} carries no signature: ask its approver for another file")
    return signer
