"""The saved column mappings of the two brands whose CSVs have a layout of their own, as the gateway's API takes them."""

from __future__ import annotations

from typing import Any


def column_mapping_for(brand: str, utc_offset_seconds: int) -> dict[str, Any] | None:
    """The mapping's definition; None for a brand that is paid through Stripe. The files' times are local."""
    mapping = {"drugstore": _DRUGSTORE, "deli": _DELI}.get(brand)
    return mapping and {**mapping, "time_zone": _offset(utc_offset_seconds)}


_DRUGSTORE: dict[str, Any] = {
    "provider": "drugstore terminal",
    "delimiter": ";",
    "decimal_mark": ",",
    "amount_style": "major",
    "date_format": "%d.%m.%Y %H:%M:%S",
    "columns": {
        "transaction_id": "Transaction No",
        "payment_id": "Order Ref",
        "occurred_at": "Booked",
        "amount": "Amount",
        "type": "Type",
        "currency": "Currency",
        "refund_id": "Refund Ref",
    },
    "type_values": {"SALE": "charge", "REFUND": "refund"},
    "refund_sign": "positive",
}
_DELI: dict[str, Any] = {
    "provider": "deli card machine",
    "delimiter": "|",
    "amount_style": "minor",
    "date_format": "%m/%d/%Y %H:%M",
    "columns": {
        "transaction_id": "txn_id",
        "payment_id": "receipt",
        "occurred_at": "posted",
        "amount": "cents",
        "currency": "currency",
    },
    "refund_sign": "negative",
}


def _offset(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds) // 3600:02d}:{abs(seconds) % 3600 // 60:02d}"
