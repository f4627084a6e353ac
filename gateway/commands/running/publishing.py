"""`splittally brand sign-rule | publish-rule`: a version of the rule, signed on one machine and handed over from another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.commands.running.printing import print_json
from gateway.commands.running.troubles import troubles_named
from gateway.foreign.reading import Unreadable, read_json, read_object
from gateway.ledger.signing import Domain
from gateway.loyalty.rule_document import RuleDocument
from gateway.second_people.gateway_client import GatewayClient
from gateway.second_people.person import Person, open_person
from gateway.secret_files import read_secret
from gateway.values.calendar import moment, wall_clock
from gateway.values.errors import Invalid, WrongState
from gateway.values.hex import BadHex, hex_text
from gateway.values.ids import Address, Hash


@troubles_named
def sign_rule(
    settings: Path,
    version: int,
    points: int,
    per_minor: int,
    valid_from: str | None,
    output: Path,
    home: Path,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    told = _read(settings, "the settings of the brand's agent")
    try:
        coalition = told["coalition"]
        begins = _moment(valid_from, is_sandbox=bool(coalition.get("sandbox", False)))
        document = RuleDocument(int(told["brand_id"]), version, points, per_minor, begins)
        domain = Domain(int(coalition["chain_id"]), Address.parse(coalition["points_address"]), Hash.parse(coalition["coalition_id"]))
        publisher = told["agent"].get("publisher")
    except (KeyError, TypeError, AttributeError, BadHex) as wrong:
        raise Invalid(f"{settings} are no settings of a brand's agent: name its agent.json") from wrong
    person = open_person(home, passphrase_file)
    if publisher is None or str(publisher).lower() != str(person.address):
        raise WrongState(
            f"the agent of {settings} follows {publisher or 'nobody'}, not {person.address}: write that as agent.publisher first"
        )
    signed = signed_rule(document, person, domain)
    _write_new(output, signed)
    if as_json:
        print_json(signed | {"document": document.text(), "document_hash": str(document.hash)})
    else:
        since = f"not before {moment(document.valid_from)}" if document.valid_from else "as soon as the agent has confirmed it"
        what = f"Version {version} of brand {document.brand_id}: {points} points for every {per_minor} minor units, {since}"
        click.echo(f"{what}\nSigned by {person.address}: {output}")


@troubles_named
def publish_rule(signed: Path, gateway_url: str, api_key_file: Path, as_json: bool) -> None:
    body = dict(_read(signed, "a signed version of a rule, as `splittally brand sign-rule` writes it"))
    brand_id = body.pop("brand_id", None)
    if type(brand_id) is not int:
        raise Invalid(f"{signed} names no brand: sign the rule again with `splittally brand sign-rule`")
    gateway = GatewayClient(gateway_url, read_secret(api_key_file))
    click.get_current_context().call_on_close(gateway.close)
    answer = gateway.post(f"/v1/brands/{brand_id}/rules", body)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"Version {answer['version']} of brand {brand_id} is published: it earns once the brand's agent has confirmed it.")


def signed_rule(document: RuleDocument, person: Person, domain: Domain) -> dict[str, Any]:
    """The body of POST /v1/brands/{brand_id}/rules, and which brand's it is."""
    return {
        "brand_id": document.brand_id,
        "points": document.points,
        "per_minor": document.per_minor,
        "valid_from": moment(document.valid_from) if document.valid_from else None,
        "version": document.version,
        "signature": hex_text(person.sign(document.digest(domain))),
    }


def _moment(text: str | None, *, is_sandbox: bool) -> int:
    """A sandbox's time is simulated, and nobody is asked what it is: there a version holds from when it is confirmed."""
    if text is None:
        return 0 if is_sandbox else wall_clock()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1970 < found.year < 9000:
        raise Invalid(f"--valid-from is {text}: write a moment with its offset from UTC, such as 2017-03-15T10:30:00+01:00")
    return int(found.timestamp())


def _read(path: Path, what: str) -> Mapping[str, Any]:
    try:
        return read_object(read_json(path.read_bytes()))
    except Unreadable:
        raise Invalid(f"{path} is not {what}") from None


def _write_new(path: Path, document: Mapping[str, Any]) -> None:
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(json.dumps(document, indent=1) + "\n")
    except FileExistsError:
        raise WrongState(f"{path} is there already: name another --output; nothing was signed anew") from None
