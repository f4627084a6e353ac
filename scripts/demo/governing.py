"""What two-person control is for: the operator proposes to take a brand from its owner, who vetoes it before anybody may approve it."""

from __future__ import annotations

from typing import Any

from scripts.demo.client import Refused
from scripts.demo.coalition import BY_SLUG
from scripts.demo.second_people import APPROVERS, addresses
from scripts.demo.world import World

SLUG = "drugstore"


def veto_an_act(world: World) -> dict[str, Any]:
    """How the act ended, and whether the brand still belongs to its owner."""
    path = f"/v1/brands/{BY_SLUG[SLUG].brand_id}"
    body = {"owner_address": addresses(world.directory, APPROVERS[-1:])[0]}  # in league with an approver
    reason = world.second_people.veto(f"owner-{SLUG}", _proposed(world, path, body))
    brand, coalition = world.operator.get(path), world.operator.get("/v1/coalition")
    return {
        "approvers": len(coalition["approvers"]),
        "approvals_needed": coalition["approvals_needed"],
        "delay_seconds": coalition["governance_delay_seconds"],
        "vetoed": {"brand": brand["name"], "ended": reason},
        "owner_unchanged": brand["owner_address"] != body["owner_address"].lower(),
    }


def line(governed: dict[str, Any]) -> str:
    vetoed, hours = governed["vetoed"], governed["delay_seconds"] // 3_600
    owner = "it belongs to whom it belonged" if governed["owner_unchanged"] else "it changed hands all the same"
    return (
        f"Governance: each act waited {hours} hour(s), then {governed['approvals_needed']} of {governed['approvers']} approvers signed it; "
        f"the operator's taking {vetoed['brand']} from its owner ended {vetoed['ended']} by the owner, {owner}"
    )


def _proposed(world: World, path: str, body: dict[str, Any]) -> str:
    """The operation; a run that comes later is told that it has ended refused, which is what was wanted."""
    try:
        operation_id: str = world.operator.post(f"{path}/succession", body, f"succession-{SLUG}", wait_seconds=0)["operation_id"]
    except Refused as refusal:
        if refusal.problem.get("code") != "operation_refused":
            raise
        operation_id = refusal.problem["facts"]["operation_id"]
    return operation_id
