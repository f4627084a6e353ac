"""A purchase as a till makes it: first the line in the signer's register, then the call; watched until the ledger has it."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from gateway.second_people.gateway_client import GatewayClient
from gateway.values.calendar import wall_clock
from gateway.values.errors import Invalid
from gateway.values.hex import BadHex
from gateway.values.ids import MemberId

_GIVEN_UP_AFTER_SECONDS = 60.0
Note = Callable[[str, bool, str], bool]


def buy(gateway: GatewayClient, register: Path, member: str, brand: dict[str, Any], note: Note) -> None:
    """What earns one point; more where the rule gives no single one."""
    try:
        MemberId.parse(member)
    except BadHex as wrong:
        raise Invalid(f"--test-purchase is {member}: a member's id is 0x and 40 hex digits; nothing was written") from wrong
    coalition, rule = gateway.read("/v1/coalition"), brand["rules"][-1]
    at = _now(coalition)
    payment_id, gross = f"test-{secrets.token_hex(6)}", max(1, -(-rule["per_minor"] // max(1, rule["points"])))
    sale = {"type": "sale", "payment_id": payment_id, "member_id": member.lower(), "occurred_at": at.isoformat(), "gross_minor": gross}
    _list(register, {**sale, "tax_minor": 0, "paid_with_points_minor": 0})
    amounts = {"currency": coalition["currency"], "gross_minor": gross}
    body = {"payment_id": payment_id, "member_id": member, **amounts, "occurred_at": at.isoformat(), "business_date": at.date().isoformat()}
    operation = gateway.post("/v1/purchases", body)["operation"]
    note(
        "test purchase",
        operation is not None,
        f"{payment_id} is accepted" if operation else f"{payment_id} earns nothing: see the brand's rule",
    )
    if operation is not None:
        _watch(gateway, operation["operation_id"], note)


def _now(coalition: dict[str, Any]) -> datetime:
    seconds = coalition["head"]["timestamp"] if coalition["sandbox"] else wall_clock()
    return datetime.fromtimestamp(seconds, UTC).astimezone(timezone(timedelta(seconds=coalition["utc_offset_seconds"])))


def _list(register: Path, record: dict[str, Any]) -> None:
    """Whole, and on disk before the gateway is called."""
    descriptor = os.open(register, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, json.dumps(record, separators=(",", ":")).encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _watch(gateway: GatewayClient, operation_id: str, note: Note) -> None:
    until, seen = time.monotonic() + _GIVEN_UP_AFTER_SECONDS, ""
    while True:
        operation = gateway.read(f"/v1/operations/{operation_id}")
        state = operation["status"] + (f" ({operation['reason']})" if operation["reason"] else "")
        is_over = operation["status"] in ("confirmed", "refused") or time.monotonic() > until
        if state != seen and not is_over:
            note("test purchase", True, f"operation {operation_id} is {state}")
        seen = state
        if is_over:
            where = f", {operation['points']} points in block {operation['block_number']}" if operation["status"] == "confirmed" else ""
            note("test purchase", operation["status"] == "confirmed", f"operation {operation_id} is {state}{where}")
            return
        time.sleep(0.1)
