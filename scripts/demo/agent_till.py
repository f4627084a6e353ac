"""The tills of a brand with an agent: one call a sale or a refund to the agent, which writes it down, sends it on and signs for it.

Those of a second store call that store's agent, which writes it down and tells the brand's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from zlib import crc32

from scripts.demo.client import Client, Refused

LOOK_AGAIN_SECONDS = 0.02
ENDS_WITHIN_SECONDS = 300.0


class AgentTill:
    """Speaks to the brand's own agents alone. Every third sale is made at the second `store`, where there is one."""

    def __init__(self, client: Client, store: Client | None = None) -> None:
        self._client = client
        self._store = store

    def sell(self, purchases: Sequence[dict[str, Any]]) -> list[str]:
        """Why those that are not on the ledger are not. Then closes the days: the agent has the till's count and sum."""
        reasons = self._tell("/v1/purchases", "payment_id", purchases)
        for day in sorted({one["business_date"] for one in purchases}):
            for client in (self._client, self._store):
                if client is not None:
                    that_day = [one for one in purchases if one["business_date"] == day and self._at(one["payment_id"]) is client]
                    amount = sum(one["gross_minor"] for one in that_day)
                    client.ask("/v1/day-close", {"day": day, "count": len(that_day), "gross_minor": amount})
        return reasons

    def refund(self, payment_refunds: Sequence[dict[str, Any]]) -> list[str]:
        """Why those that are not on the ledger are not."""
        return self._tell("/v1/payment-refunds", "refund_id", payment_refunds)

    def points_of(self, payment_id: str) -> int | None:
        """What a sale has earned; None where the agent knows of no such sale."""
        try:
            points: int | None = self._at(payment_id).get(f"/v1/purchases/{payment_id}")["points"]
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None
        return points

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get("/v1/status")
        return found

    def store_status(self) -> dict[str, Any] | None:
        """How the second store's agent says that it stands."""
        return None if self._store is None else self._store.get("/v1/status")

    def is_at_store(self, payment_id: str) -> bool:
        """Whether the sale is the second store's."""
        return self._at(payment_id) is not self._client

    def close(self) -> None:
        self._client.close()
        if self._store is not None:
            self._store.close()

    def _at(self, payment_id: str) -> Client:
        return self._client if self._store is None or crc32(payment_id.encode()) % 3 else self._store

    def _tell(self, path: str, id_name: str, bodies: Sequence[dict[str, Any]]) -> list[str]:
        for body in bodies:
            self._at(body["payment_id"]).ask(path, body)
        return [reason for body in bodies if (reason := self._reason(self._at(body["payment_id"]), f"{path}/{body[id_name]}"))]

    @staticmethod
    def _reason(client: Client, path: str) -> str | None:
        until = time.monotonic() + ENDS_WITHIN_SECONDS
        while (found := client.get(path))["outcome"] is None:
            if time.monotonic() > until:
                raise Refused(503, {"code": found["state"], "detail": f"{path} does not end: see the agent's status and log"})
            time.sleep(LOOK_AGAIN_SECONDS)
        return None if found["outcome"] == "confirmed" else str(found["reason"])


def line(told: dict[str, Any]) -> str:
    """For people."""
    status = told["status"]
    waiting = sum(status["waiting"].values())
    closed = "; ".join(alarm["detail"] for alarm in status["alarms"]) or "every day closed with the till's count and sum"
    words = f"{told['name']}'s tills call its agent: {told['purchases']:,} purchases, {waiting} of them still on their way; {closed}"
    if (store := told["second_store"]) is None:
        return words
    return f"{words}. {store['purchases']:,} were made at its second store, whose agent has no key and only forwards ({store['name']})"
