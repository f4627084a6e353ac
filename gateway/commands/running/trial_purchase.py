"""A purchase as a till makes it: one call to the brand's agent; watched until the ledger has it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from gateway.commands.running.brand_home import BrandHome, own_person
from gateway.second_people.gateway_client import GatewayClient
from gateway.secret_files import make_secret, read_or_make
from gateway.values.calendar import wall_clock
from gateway.values.errors import Invalid, WrongState
from gateway.values.hex import BadHex, hex_text
from gateway.values.ids import MemberId
from gateway.values.printing import printable

OWN_MEMBER = "own"
_GIVEN_UP_AFTER_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
Note = Callable[[str, bool, str], bool]


def is_member(text: str) -> bool:
    try:
        MemberId.parse(text)
    except BadHex:
        return False
    return True


def trial_member(gateway: GatewayClient, home: BrandHome, named: str) -> str:
    """The member that is named; of the brand's own, enrolled at the first time, the key stays in its directory. Raises Invalid."""
    if named != OWN_MEMBER:
        if not is_member(named):
            raise Invalid(f"--test-purchase is {named}: a member's id is 0x and 40 hex digits; nothing was written")
        return named
    address, salt = own_person(home.trial_member), hex_text(read_or_make(home.trial_member / "salt"))
    enrolled = gateway.post("/v1/members", {"authorizer": {"kind": 1, "address": str(address)}, "salt": salt})
    until = time.monotonic() + _GIVEN_UP_AFTER_SECONDS
    while (operation := gateway.read(f"/v1/operations/{enrolled['operation']['operation_id']}"))["status"] != "confirmed":
        if operation["status"] == "refused" or time.monotonic() > until:
            told = f"operation {operation['operation_id']} is {operation['status']} ({operation['reason']})"
            raise WrongState(f"the brand's own member is not on the ledger: {told}; run this again, or name a --test-purchase MEMBER")
        time.sleep(_PAUSE_SECONDS)
    return str(enrolled["member_id"])


def buy(gateway: GatewayClient, till: GatewayClient, member: str, brand: dict[str, Any], note: Note, kept: Path | None = None) -> bool:
    """What earns one point; more where the rule gives no single one. Whether the ledger has it.

    With `kept`, the purchase is written down before it is told: told again it is the same one, until it has ended otherwise.
    """
    body = _kept(kept, member)
    if body is None:
        body = _body(gateway.read("/v1/coalition"), brand, member)
        if kept is not None:
            kept.unlink(missing_ok=True)
            make_secret(kept, json.dumps(body))
    told = till.post("/v1/purchases", body)
    note("test purchase", True, f"the agent has {body['payment_id']} and has {told['promise']} {told['points']} points")
    is_good = _watch(gateway, till, f"/v1/purchases/{body['payment_id']}", note)
    if is_good is False and kept is not None:
        kept.unlink()
    return bool(is_good)


def _kept(kept: Path | None, member: str) -> dict[str, Any] | None:
    """What was sold to this member before."""
    try:
        found = dict(json.loads("null" if kept is None else kept.read_text()) or {})
    except (FileNotFoundError, ValueError):
        return None
    return found if found.get("member_id") == member else None


def _body(coalition: dict[str, Any], brand: dict[str, Any], member: str) -> dict[str, Any]:
    rule = next(each for each in brand["rules"] if each["status"] == "in_force")
    at = _now(coalition)
    payment_id, gross = f"test-{secrets.token_hex(6)}", max(1, -(-rule["per_minor"] // max(1, rule["points"])))
    amounts = {"currency": coalition["currency"], "gross_minor": gross}
    return {"payment_id": payment_id, "member_id": member, **amounts, "occurred_at": at.isoformat(), "business_date": at.date().isoformat()}


def _now(coalition: dict[str, Any]) -> datetime:
    seconds = coalition["head"]["timestamp"] if coalition["sandbox"] else wall_clock()
    return datetime.fromtimestamp(seconds, UTC).astimezone(timezone(timedelta(seconds=coalition["utc_offset_seconds"])))


def _watch(gateway: GatewayClient, till: GatewayClient, path: str, note: Note) -> bool | None:
    """Whether it ended well; None where it has not ended in time."""
    until, seen = time.monotonic() + _GIVEN_UP_AFTER_SECONDS, ""
    while True:
        item = till.read(path)
        if item["operation_id"] is None:
            state, operation = str(item["state"]), None
        else:
            operation = gateway.read(f"/v1/operations/{item['operation_id']}")
            state = operation["status"] + (f" ({operation['reason']})" if operation["reason"] else "")
        is_over = item["outcome"] is not None or time.monotonic() > until
        if state != seen and not is_over:
            note("test purchase", True, f"it is {state}")
        seen = state
        if is_over:
            is_good = operation is not None and operation["status"] == "confirmed"
            where = f", {operation['points']} points in block {operation['block_number']}" if operation is not None and is_good else ""
            why = "; ".join(str(item[name]) for name in ("reason", "detail") if item.get(name) and not is_good)
            note("test purchase", is_good, f"it is {state}{where}" + (f": {printable(why)}" if why else ""))
            return is_good if is_good or item["outcome"] is not None else None
        time.sleep(_PAUSE_SECONDS)
