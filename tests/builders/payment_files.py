"""Payment files in the layouts of the gateway, written row by row, and how they are sent."""

from __future__ import annotations

from typing import Any

from tests.builders.offline_coalition import OfflineCoalition

STRIPE_HEADER = (
    "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,source_id,automatic_payout_id,"
    "payment_metadata[order_reference]"
)
TILL_MAPPING: dict[str, Any] = {
    "delimiter": ";",
    "date_format": "%d/%m/%Y %H:%M",
    "time_zone": "UTC",
    "columns": {"transaction_id": "Txn", "payment_id": "Receipt", "occurred_at": "Date", "amount": "Total", "type": "Type"},
    "currency": "USD",
    "type_values": {"SALE": "charge", "REFUND": "refund"},
    "refund_sign": "positive",
    "trailer": {"marker": "TOTAL", "count_field": 1, "sum_field": 2},
}


def stripe_row(
    number: int, payment_id: str, gross: str = "25.00", kind: str = "charge", on: str = "2017-03-16", payout: str = "po_1"
) -> str:
    at = f"{on} 12:00:00"
    return f"txn_{number},{at},{at},usd,{gross},0.00,{gross},{kind},src_{number},{payout},{payment_id}"


def stripe_file(*rows: str) -> bytes:
    return "\n".join([STRIPE_HEADER, *rows, ""]).encode()


def send(coalition: OfflineCoalition, who: str, content: bytes, key: str, **query: Any) -> Any:
    """POST /v1/payment-files as a Stripe report, unless the query says otherwise."""
    headers = {"Authorization": f"Bearer {coalition.tokens[who]}", "Idempotency-Key": key, "Content-Type": "text/csv"}
    asked = {"layout": "stripe-payout-reconciliation", **query}
    return coalition.client.post("/v1/payment-files", params=asked, content=content, headers=headers)
