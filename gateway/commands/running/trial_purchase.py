"""A purchase as a till makes it: one call to the brand's agent; watched until the ledger has it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from gateway.second_people.gateway_client import GatewayClient
from gateway.values.calendar import wall_clock
from gateway.values.errors import Invalid
from gateway.values.hex import BadHex
from gateway.values.ids import MemberId
from gateway.values.printing import printable

_GIVEN_UP_AFTER_SECONDS = 60.0
Note = Callable[[str, bool, str], bool]


def buy(gateway: GatewayClient, till: GatewayClient, member: str, brand: dict[str, Any], note: Note) -> None:
    """What earns one point; more where the rule gives no single one."""
    try:
        MemberId.parse(member)
    except BadHex as wrong:
        raise Invalid(f"--test-purchase is {member}: a member's id is 0x and 40 hex digits; nothing was written") from wrong
    coalition = gateway.read("/v1/coalition")
    rule = next(each for each in brand["rules"] if each["status"] == "in_force")
    at = _now(coalition)
    payment_id, gross = f"test-{secrets.token_hex(6)}", max(1, -(-rule["per_minor"] // max(1, rule["points"])))
    amounts = {"currency": coalition["currency"], "gross_minor": gross}
    body = {"payment_id": payment_id, "member_id": member, **amounts, "occurred_at": at.isoformat(), "business_date": at.date().isoformat()}
    told = till.post("/v1/purchases", body)
    note("test purchase", True, f"the agent has {payment_id} and has {told['promise']} {told['points']} points")
    _watch(gateway, till, f"/v1/purchases/{payment_id}", note)


def _now(coalition: dict[str, Any]) -> datetime:
    seconds = coalition["head"]["timestamp"] if coalition["sandbox"] else wall_clock()
    return datetime.fromtimestamp(seconds, UTC).astimezone(timezone(timedelta(seconds=coalition["utc_offset_seconds"])))


def _watch(gateway: GatewayClient, till: GatewayClient, path: str, note: Note) -> None:
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
            return
        time.sleep(0.1)
