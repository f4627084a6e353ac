"""What `splittally brand init` says of what it made: as JSON, and in words."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from gateway.commands.running.brand_home import BrandHome

_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Joined:
    """What came of it; `registered` is None where the operator has to post it; `waits` once nobody is waited for."""

    home: BrandHome
    body: dict[str, Any]
    registered: dict[str, Any] | None
    has_api_key: bool
    waits: str | None
    next_command: str


def waits_for(coalition: dict[str, Any]) -> str:
    hours = coalition["governance_delay_seconds"] / _HOUR
    of_clock = " of the sandbox's time" if coalition["sandbox"] else ""
    people = f"{coalition['approvals_needed']} of {len(coalition['approvers'])} approvers"
    return f"{people}, who sign no sooner than {hours:g} h{of_clock} after it is proposed"


def shown(joined: Joined) -> dict[str, Any]:
    registered, home = joined.registered, joined.home
    return {
        "settings": str(home.settings),
        "registration": str(home.registration),
        "brand_id": joined.body["brand_id"],
        "key_address": joined.body["key_address"],
        "owner_address": joined.body["owner_address"],
        "publisher_address": joined.body["publisher_address"],
        "operation": None if registered is None else registered["operation"],
        "signer": None if registered is None else registered["signer"],
        "api_key_file": str(home.api_key) if joined.has_api_key else None,
        "till_token_file": str(home.till_token),
        "waits_for": joined.waits,
        "next_command": joined.next_command,
    }


def words(joined: Joined) -> list[str]:
    home, registered, brand_id = joined.home, joined.registered, joined.body["brand_id"]
    said = [
        f"The agent's settings, batch key ({joined.body['key_address']}) and secrets: {home.agent}",
        f"  start it: {sys.executable} -m gateway.brand_agent --config {home.settings}",
        *_key_words(joined),
        f"The first till's token, with which it calls the agent: {home.till_token}",
        f"The owner's key ({joined.body['owner_address']}): "
        + (f"{home.owner}; take it to a place of its own" if home.owner.exists() else "elsewhere"),
        f"The publisher's key, which signs its rules ({joined.body['publisher_address']}): "
        + (f"{home.publisher}; take it to a place of its own" if home.publisher.exists() else "elsewhere, where version 1 is signed, too"),
    ]
    if registered is None and joined.waits is None:
        said.append(f"Brand {brand_id} is registered, and nobody is waited for")
    elif registered is None:
        said += [
            f"For the operator to post to /v1/brands: {home.registration}",
            "  it holds the agent's token and the reference secret: hand it over where nobody else reads it",
            f"  once it is registered: splittally brand publish-rule {home.first_rule}",
            f"The operator also makes an API key (/v1/brands/{brand_id}/api-keys) for {home.api_key}",
        ]
    else:
        operation = registered["operation"]
        said.append(f"Registered as operation {operation['operation_id']} ({operation['status']})")
        if registered["signer"] is not None:
            said.append(f"  seen from the gateway: {registered['signer']['said']}")
        said.append(
            f"The agent's API key: {home.api_key}"
            if joined.has_api_key
            else f"The agent's API key was told before: have the operator make another for {home.api_key}"
        )
    return said if joined.waits is None else [*said, f"It waits for {joined.waits}"]


def next_words(joined: Joined) -> list[str]:
    """Of who does not wait now."""
    if joined.waits is None:
        return [f"Now: {joined.next_command}"]
    waiting = "this command again with --wait SECONDS, which waits for that, tries both ways between agent and gateway, and sells on trial"
    return [f"Then: {joined.next_command}", f"  or: {waiting}"]


def _key_words(joined: Joined) -> list[str]:
    said = []
    if joined.body.get("managed"):
        said.append("  run it as a user of its own: the operator holds this batch key, and the ledger and every view of the brand say so")
    credential = joined.home.credential
    if credential is not None:
        key, stored = joined.home.agent / "key", f"/etc/credstore.encrypted/{credential}"
        said.append(f"  its service gets the key as credential {credential}: systemd-creds encrypt --name={credential} {key} {stored}")
        said.append(f"  then take {key} away (shred -u {key}): the agent does not read it")
    return said
