"""The tills of a brand with an agent: one call a sale or a refund to the agent, which writes it down, sends it on and signs for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from scripts.demo.client import Client, Refused

LOOK_AGAIN_SECONDS = 0.02
ENDS_WITHIN_SECONDS = 300.0


class AgentTill:
    """Speaks to the brand's own agent alone."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def sell(self, purchases: Sequence[dict[str, Any]]) -> list[str]:
        """Why those that are not on the ledger are not. Then closes the days: the agent has the till's count and sum."""
        reasons = self._tell("/v1/purchases", "payment_id", purchases)
        for day in sorted({one["business_date"] for one in purchases}):
            amounts = [one["gross_minor"] for one in purchases if one["business_date"] == day]
            self._client.ask("/v1/day-close", {"day": day, "count": len(amounts), "gross_minor": sum(amounts)})
        return reasons

    def refund(self, payment_refunds: Sequence[dict[str, Any]]) -> list[str]:
        """Why those that are not on the ledger are not."""
        return self._tell("/v1/payment-refunds", "refund_id", payment_refunds)

    def points_of(self, payment_id: str) -> int | None:
        """What a sale has earned; None where the agent knows of no such sale."""
        try:
            points: int | None = self._client.get(f"/v1/purchases/{payment_id}")["points"]
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None
        return points

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get("/v1/status")
        return found

    def close(self) -> None:
        self._client.close()

    def _tell(self, path: str, id_name: str, bodies: Sequence[dict[str, Any]]) -> list[str]:
        for body in bodies:
            self._client.ask(path, body)
        return [reason for body in bodies if (reason := self._reason(f"{path}/{body[id_name]}"))]

    def _reason(self, path: str) -> str | None:
        until = time.monotonic() + ENDS_WITHIN_SECONDS
        while (found := self._client.get(path))["outcome"] is None:
            if time.monotonic() > until:
                raise Refused(503, {"code": found["state"], "detail": f"{path} does not end: see the agent's status and log"})
            time.sleep(LOOK_AGAIN_SECONDS)
        return None if found["outcome"] == "confirmed" else str(found["reason"])


def line(told: dict[str, Any]) -> str:
    """For people."""
    status = told["status"]
    waiting = sum(status["waiting"].values())
    closed = "; ".join(alarm["detail"] for alarm in status["alarms"]) or "every day closed with the till's count and sum"
    return f"{told['name']}'s tills call its agent: {told['purchases']:,} purchases, {waiting} of them still on their way; {closed}"
