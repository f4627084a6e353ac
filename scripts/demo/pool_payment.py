"""A purchase that several members' points pay for: all parts are authorized, then all captured; or what stands is voided."""

from __future__ import annotations

from collections.abc import Sequence
from time import sleep
from typing import Any

from gateway.brand_signer.register_writer import RegisterWriter, capture_record, void_record
from scripts.demo.client import Client

LOOK_AGAIN_SECONDS = 0.05


def pay_together(client: Client, register: RegisterWriter, parts: Sequence[dict[str, Any]], key: str) -> str:
    """`parts` are consents, one a giver, each with an order id of its own. "captured" or "voided". What nobody ends, the deadline does."""
    answer = client.post("/v1/authorizations/bulk", {"authorizations": list(parts)}, f"{key}-authorize")
    operations = [_ended(client, result["operation"]) for result in answer["results"]]
    if all(operation is not None and operation["status"] == "confirmed" for operation in operations):
        for part, operation in zip(parts, operations, strict=True):
            assert operation is not None
            register.append([capture_record(part["order_id"], part["order_id"], part["member_id"], part["points"])])
            body = {"capture_id": part["order_id"], "points": part["points"]}
            path = f"/v1/authorizations/{operation['reservation_id']}/capture"
            _ended(client, client.post(path, body, f"{key}-capture-{part['order_id']}")["operation"])
        return "captured"
    for part, operation in zip(parts, operations, strict=True):
        if operation is not None and operation["status"] == "confirmed":
            register.append([void_record(part["order_id"], part["order_id"], part["member_id"])])
            path = f"/v1/authorizations/{operation['reservation_id']}/void"
            _ended(client, client.post(path, {"void_id": part["order_id"]}, f"{key}-void-{part['order_id']}")["operation"])
    return "voided"


def _ended(client: Client, operation: dict[str, Any] | None) -> dict[str, Any] | None:
    """The operation once it has ended; None where nothing was accepted."""
    while operation is not None and operation["status"] not in ("confirmed", "refused"):
        sleep(LOOK_AGAIN_SECONDS)
        operation = client.get(f"/v1/operations/{operation['operation_id']}")
    return operation
