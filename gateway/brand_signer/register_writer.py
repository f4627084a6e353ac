"""The till's side of the file register: records are appended whole and are on disk before the till goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gateway.values.ids import sha256


class RegisterWriter:
    """Appends to one register; the only writer of its file. A torn last line of a till that died is cut off first."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        written = path.read_bytes()
        self._file.truncate(written.rfind(b"\n") + 1)

    def append(self, records: Iterable[Mapping[str, Any]]) -> None:
        lines = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        self._file.write(lines.encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def sale_record(
    payment_id: str, member_id: str | None, occurred_at: datetime, gross_minor: int, tax_minor: int, paid_with_points_minor: int
) -> dict[str, Any]:
    """A sale; `occurred_at` carries its offset, `member_id` is hex or None."""
    return {
        "type": "sale",
        "payment_id": payment_id,
        "member_id": member_id,
        "occurred_at": occurred_at.isoformat(),
        "gross_minor": gross_minor,
        "tax_minor": tax_minor,
        "paid_with_points_minor": paid_with_points_minor,
    }


def refund_record(refund_id: str, payment_id: str, amount_minor: int) -> dict[str, Any]:
    return {"type": "refund", "refund_id": refund_id, "payment_id": payment_id, "amount_minor": amount_minor}


def order_record(order_id: str, member_id: str, points: int, occurred_at: datetime | None = None, *, one_step: bool) -> dict[str, Any]:
    """`one_step`: it may be redeemed at once; otherwise its points are authorized, and the till writes what it captures of them.

    `occurred_at` (with its offset) where the brand extends points by activity: an order without it keeps none alive.
    """
    when = {} if occurred_at is None else {"occurred_at": occurred_at.isoformat()}
    return {"type": "order", "order_id": order_id, "member_id": member_id, "points": points, **when, "one_step": one_step}


def capture_record(capture_id: str, order_id: str, member_id: str, points: int) -> dict[str, Any]:
    """The member got her discount: these points of what was authorized for the order are taken, and the rest is hers again."""
    return {"type": "capture", "capture_id": capture_id, "order_id": order_id, "member_id": member_id, "points": points}


def refund_failure_record(refund_id: str, payment_id: str) -> dict[str, Any]:
    """The refund failed: the money did not go back."""
    return {"type": "refund_failure", "refund_id": refund_id, "payment_id": payment_id}


def opening_file_record(path: Path, programme: str, ratio_points: int, ratio_units: int, expires_on: date | None) -> dict[str, Any]:
    """A file of an earlier programme's balances that stands beside the register, by its name and SHA-256."""
    ratio = {"ratio_points": ratio_points, "ratio_units": ratio_units}
    expiry = {"expires_on": None if expires_on is None else expires_on.isoformat()}
    return {"type": "opening_file", "file": path.name, "source": str(sha256(path.read_bytes())), "programme": programme, **ratio, **expiry}


def point_refund_record(point_refund_id: str, order_id: str, member_id: str, points: int) -> dict[str, Any]:
    """Points of an order go back to the member whose they were."""
    of = {"order_id": order_id, "member_id": member_id}
    return {"type": "point_refund", "point_refund_id": point_refund_id, **of, "points": points}


def void_record(void_id: str, order_id: str, member_id: str) -> dict[str, Any]:
    """The member got nothing for what was authorized for the order: her points are let go."""
    return {"type": "void", "void_id": void_id, "order_id": order_id, "member_id": member_id}
