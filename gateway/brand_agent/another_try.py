"""What ended refused is tried again by the gateway, where that made operations of it."""

from __future__ import annotations

from gateway.brand_agent.gateway_client import ForwardingClient, GatewayAway
from gateway.brand_agent.item import Item
from gateway.brand_agent.problems import TillRefused


def ask_for_another_try(client: ForwardingClient, item: Item, tried: int) -> bool:
    """Whether its operations are tried again; False where there are none. Raises TillRefused where none of them is."""
    if item.operation_id is None:
        return False
    refusal = None
    under_way = False
    try:
        for operation_id in item.operation_ids:
            answer = client.post(f"/v1/operations/{operation_id}/retry", b"{}", f"agent-retry-{operation_id}-{tried}")
            stands = client.operation(operation_id).body.get("status")
            if stands == "refused":
                refusal = refusal or answer
            under_way = under_way or stands in ("accepted", "packed") or (stands == "confirmed" and len(item.operation_ids) == 1)
    except GatewayAway as away:
        raise TillRefused(503, "gateway_away", f"{away}: try it again once the gateway is there", outcome="nothing_changed") from None
    if not under_way:
        code = "unknown" if refusal is None else refusal.code
        why = code if refusal is None or refusal.detail is None else f"{code}: {refusal.detail}"
        told = f"the gateway does not try it again ({why}): tell it under another id, and mark this as dealt with"
        raise TillRefused(409, "not_tried_again", told, gateway_code=code)
    return True
