"""`splittally hand-over offer | accept` and `brand publish | accept | key | terms`: what brands' owners sign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gateway.chain.anchored import AnchorSequence
from gateway.chain.artifacts import contract_named
from gateway.commands.running.meeting import Meeting, meet
from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.ledger.anchors import AnchorKind, anchor_digest, brand_subject
from gateway.ledger.brand_documents import BrandDocument
from gateway.ledger.owner_acts import HandOver, SetBrandKey, SetBrandTerms, SetExposure, owner_act_digest
from gateway.ledger.recover import recover_address
from gateway.ledger.terms import LedgerTerms
from gateway.second_people.act_words import moment_text
from gateway.second_people.own_transaction import send_own
from gateway.values.calendar import SECONDS_PER_DAY
from gateway.values.errors import Invalid, WrongState
from gateway.values.hex import BadHex, hex_text, to_bytes
from gateway.values.ids import Address, Hash

FOR_GOOD = 2**40 - 1  # of a key that signs for good
LONG_AGO = 1  # past by every clock: a chain whose time lags ends the key in the same block
DAYS_TO_RELAY = 7  # an act of the owner that is not on the ledger by then is void


@troubles_named
def offer_brand(brand_id: int, successor: str, is_succession: bool, days: int, output: Path | None, as_json: bool, **place: Any) -> None:
    meeting = meet(**place)
    nonce, owner = _next_act(meeting, brand_id)
    if owner != meeting.person.address:
        raise WrongState(f"brand {brand_id} belongs to {owner}, not to {meeting.person.address}: sign with its owner's key")
    act = HandOver(brand_id, _address(successor), is_succession, nonce, meeting.now + days * SECONDS_PER_DAY)
    signature = meeting.person.sign(owner_act_digest(meeting.coalition.domain("Brands"), act))
    document = {
        "brand_id": act.brand,
        "owner_address": str(act.owner),
        "issues_no_more": act.issues_no_more,
        "nonce": act.nonce,
        "deadline": act.deadline,
        "signature": hex_text(signature),
    }
    if output is not None:
        output.write_text(json.dumps(document, indent=1) + "\n")
        after = ", and issues no more" if act.issues_no_more else ""
        click.echo(f"Offered to {act.owner}{after} until {moment_text(act.deadline)}: {output}")
    else:
        print_json(document)


@troubles_named
def accept_brand(offer: Path, as_json: bool, **place: Any) -> None:
    meeting = meet(**place)
    try:
        told = json.loads(offer.read_text())
        to = _address(told["owner_address"]), bool(told["issues_no_more"])
        act = HandOver(int(told["brand_id"]), *to, int(told["nonce"]), int(told["deadline"]))
        signature = to_bytes(told["signature"], 65)
    except (ValueError, KeyError, TypeError) as wrong:
        raise Invalid(f"{offer} is no offer of a brand: ask its owner for the file that `splittally hand-over offer` wrote") from wrong
    if act.owner != meeting.person.address:
        raise WrongState(f"the brand is offered to {act.owner}, not to {meeting.person.address}")
    digest = owner_act_digest(meeting.coalition.domain("Brands"), act)
    nonce, owner = _next_act(meeting, act.brand)
    if recover_address(digest, signature) != owner or act.nonce != nonce:
        raise WrongState(f"the offer is not signed by the owner of brand {act.brand}, or is used already: ask {owner} for a new one")
    own = hex_text(meeting.person.sign(digest))
    body = {
        "owner_address": str(act.owner),
        "issues_no_more": act.issues_no_more,
        "owner": {"nonce": act.nonce, "deadline": act.deadline, "signature": hex_text(signature)},
        "accepted": own,
    }
    answer = meeting.gateway.post(f"/v1/brands/{act.brand}/owner", body)
    if as_json:
        print_json({"brand_id": act.brand, "owner": str(act.owner), "operation_id": answer["operation_id"], "status": answer["status"]})
    else:
        after = " and issues no more" if act.issues_no_more else ""
        click.echo(_once_confirmed(f"Brand {act.brand} goes to {act.owner}{after}", answer))


@troubles_named
def accept_points(brand_id: int, issuers: tuple[int, ...], most: int, as_json: bool, **place: Any) -> None:
    meeting, answers = meet(**place), []
    nonce, deadline = _own_act(meeting, brand_id)
    for act in (SetExposure(brand_id, issuer, most, nonce + before, deadline) for before, issuer in enumerate(issuers)):
        signature = hex_text(meeting.person.sign(owner_act_digest(meeting.coalition.domain("Brands"), act)))
        signed = {"nonce": act.nonce, "deadline": act.deadline, "signature": signature}
        body = {"issuer_id": act.issuer, "most": act.most, "owner": signed}
        answers.append(meeting.gateway.post(f"/v1/brands/{brand_id}/exposure", body))
    if as_json:
        said = zip(issuers, answers, strict=True)
        print_json([{"issuer_id": issuer, "operation_id": told["operation_id"], "status": told["status"]} for issuer, told in said])
    else:
        for issuer, told in zip(issuers, answers, strict=True):
            click.echo(_once_confirmed(f"Brand {brand_id} takes up to {most:,} points of brand {issuer}", told))


@troubles_named
def publish_document_of_brand(
    brand_id: int,
    batch_keys: tuple[str, ...],
    agent_address: str,
    api_keys: tuple[str, ...],
    is_anchored: bool,
    as_json: bool,
    **place: Any,
) -> None:
    """Anchored after the gateway took it, so that no anchor names a document that is nowhere."""
    meeting = meet(**place)
    number = _next_document(meeting, brand_id)
    document = BrandDocument(brand_id, number, frozenset(map(_address, batch_keys)), _address(agent_address), frozenset(api_keys))
    told = json.loads(document.text())
    del told["brand_id"]
    signature = hex_text(meeting.person.sign(document.digest(meeting.coalition.domain("Brands"))))
    answer = meeting.gateway.post(f"/v1/brands/{brand_id}/documents", {**told, "signature": signature})
    meeting.person.note_published(brand_id, number)
    anchored = str(_anchor(meeting, document)) if is_anchored else None
    if as_json:
        print_json(answer | {"anchored": anchored})
    else:
        click.echo(f"Document {number} of brand {brand_id} is published{f' and anchored ({anchored})' if anchored else ''}.")


@troubles_named
def set_batch_key(
    brand_id: int, key: str, valid_from: int, valid_until: int | None, withdraw: bool, managed: bool, as_json: bool, **place: Any
) -> None:
    if withdraw and valid_until is not None:
        raise Invalid("--withdraw ends the key now: leave --until out")
    meeting, address = meet(**place), _address(key)
    nonce, deadline = _own_act(meeting, brand_id)
    if valid_until is not None and valid_until <= meeting.now:
        raise Invalid(f"--until {valid_until} has passed ({moment_text(valid_until)}): name a moment to come, or end the key by --withdraw")
    end = LONG_AGO if withdraw else FOR_GOOD if valid_until is None else valid_until
    act = SetBrandKey(brand_id, address, valid_from, end, managed, nonce, deadline)
    body = {"key_address": str(address), "valid_from": valid_from, "valid_until": end, "managed": managed}
    words = "is withdrawn" if withdraw else f"signs batches of brand {brand_id}" + ("" if end == FOR_GOOD else f" until {moment_text(end)}")
    _relay(meeting, act, "keys", body, f"{address} {words}", as_json)


@troubles_named
def set_terms(
    brand_id: int, par: str, redemption: str, fee_basis_points: int, run_off_days: int, notice_days: int, as_json: bool, **place: Any
) -> None:
    """All of them are named: what is left out would have to be believed of the gateway."""
    of_par, of_redemption, meeting = _ratio(par, "--par"), _ratio(redemption, "--redemption"), meet(**place)
    nonce, deadline = _own_act(meeting, brand_id)
    whole = {"fee_basis_points": fee_basis_points, "run_off_days": run_off_days, "notice_days": notice_days}
    act = SetBrandTerms(brand_id, LedgerTerms(*of_par, *of_redemption, *whole.values()), nonce, deadline)
    ratios = {"par": of_par, "redemption": of_redemption}
    body = {**{name: dict(zip(("numerator", "denominator"), value, strict=True)) for name, value in ratios.items()}, **whole}
    words = f"new terms of brand {brand_id}: what is worse for holders or other brands holds after the notice, everything else at once"
    _relay(meeting, act, "terms", body, words, as_json)


def _relay(meeting: Meeting, act: SetBrandKey | SetBrandTerms, path: str, body: dict[str, Any], words: str, as_json: bool) -> None:
    """Signs it and has the gateway bring it to the ledger."""
    signature = hex_text(meeting.person.sign(owner_act_digest(meeting.coalition.domain("Brands"), act)))
    signed = {"nonce": act.nonce, "deadline": act.deadline, "signature": signature}
    answer = meeting.gateway.post(f"/v1/brands/{act.brand}/{path}", {**body, "owner": signed})
    if as_json:
        print_json({"brand_id": act.brand, "operation_id": answer["operation_id"], "status": answer["status"]})
    else:
        click.echo(_once_confirmed(f"{words[0].upper()}{words[1:]}", answer))


def _once_confirmed(words: str, answer: dict[str, Any]) -> str:
    """What is signed holds by the ledger alone: an operation that is only accepted has changed nothing yet."""
    operation, status = f"operation {answer['operation_id']}", answer["status"]
    on_its_way = f"{words}: signed and handed over, but not on the ledger yet; it holds from when {operation} is confirmed."
    return f"{words} ({operation}, confirmed)." if status == "confirmed" else on_its_way


def _own_act(meeting: Meeting, brand_id: int) -> tuple[int, int]:
    """Nonce and deadline of the next act of this person as the brand's owner."""
    nonce, owner = _next_act(meeting, brand_id)
    if owner != meeting.person.address:
        raise WrongState(f"brand {brand_id} belongs to {owner}, not to {meeting.person.address}: sign with its owner's key")
    return nonce, meeting.now + DAYS_TO_RELAY * SECONDS_PER_DAY


def _next_document(meeting: Meeting, brand_id: int) -> int:
    """One more than the gateway shows, which may not be fewer than this person published: two documents of one number would both hold."""
    shown, published = len(meeting.gateway.documents(brand_id)), meeting.person.published(brand_id)
    if shown < published:
        raise WrongState(
            f"the gateway shows {shown} documents of brand {brand_id}, you published {published}: it keeps some back; tell the auditor, "
            "nothing was signed"
        )
    return shown + 1


def _anchor(meeting: Meeting, document: BrandDocument) -> Hash:
    """The transaction of the owner's own account."""
    at, signer = meeting.coalition.contracts["Anchors"], meeting.person.address
    sequence = AnchorSequence(meeting.chain, at, signer, AnchorKind.BRAND_DOCUMENT, brand_subject(document.brand_id))
    number = sequence.length()
    anchor = document.anchor(number, sequence.at(number - 1).root if number else Hash(bytes(32)))
    signature = meeting.person.sign(anchor_digest(meeting.coalition.domain("Anchors"), anchor))
    data = contract_named("Anchors").call("anchor", [anchor.called(signer, signature)])
    return send_own(meeting.chain, meeting.person.account, at, data)


def _ratio(text: str, option: str) -> tuple[int, int]:
    minor, _, points = text.partition("/")
    if not (minor.isdecimal() and points.isdecimal() and int(minor) and int(points)):
        raise Invalid(f"{option} is {text}: write minor units by points, such as 1/1 or 4/5")
    return int(minor), int(points)


def _next_act(meeting: Meeting, brand_id: int) -> tuple[int, Address]:
    """The nonce of the owner's next act and the owner, by the chain."""
    return meeting.ledger.owner_acts(brand_id), meeting.ledger.brand_owner(brand_id)


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except BadHex as wrong:
        raise Invalid(f"{text} is no address: 0x and 40 hex digits are due") from wrong
