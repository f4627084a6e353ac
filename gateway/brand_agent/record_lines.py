"""The register's lines in the agent's journal: each once, with what it is found by. The same may come again, never with other content."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.brand_signer.register_records import (
    Record,
    RegisteredOrder,
    RegisteredRefund,
    RegisteredRefundFailure,
    RegisteredVoid,
    completes,
    id_of_record,
    parse_record,
)
from gateway.ledger.signing import reference
from gateway.values.ids import MemberId, Reference


class OtherRecord(Exception):
    """The register says something else under this id."""


@dataclass(frozen=True, slots=True)
class RecordLines:
    """Writes lines on the journal's connection. On the ledger orders stand under references that this secret keys."""

    reference_secret: bytes

    def add(self, connection: sqlite3.Connection, written: Mapping[str, Any]) -> None:
        """Raises OtherRecord, and ValueError, KeyError or TypeError for what is no record."""
        self.add_line(connection, json.dumps(written, separators=(",", ":")))

    def add_line(self, connection: sqlite3.Connection, line: str) -> bool:
        """Whether it is new. Raises as `add`."""
        record, kind = parse_record(line), json.loads(line)["type"]
        key = kind, id_of_record(record)
        done = connection.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?)", (*key, line, self._found_by(record)))
        if done.rowcount:
            return True
        (stored,) = connection.execute("SELECT line FROM records WHERE type = ? AND id = ?", key).fetchone()
        before = parse_record(stored)
        if before == record:
            return False
        if not completes(before, record):
            raise OtherRecord(f"{key[1]} stands in the register with other content")
        connection.execute("UPDATE records SET line = ? WHERE type = ? AND id = ?", (line, *key))
        return False

    def _found_by(self, record: Record) -> str | None:
        match record:
            case RegisteredRefund() | RegisteredRefundFailure():
                return by_payment(record.payment_id)
            case RegisteredOrder():
                return by_order(reference(self.reference_secret, "order", record.order_id))
            case RegisteredVoid():
                return by_let_go(reference(self.reference_secret, "order", record.order_id), record.member)
            case _:
                return None


UNKEYED = RecordLines(b"")
"""For an agent that signs nothing: nobody looks for its orders by what stands on the ledger."""


def by_payment(payment_id: str) -> str:
    return f"payment:{payment_id}"


def by_order(of: Reference) -> str:
    return f"order:{of}"


def by_let_go(of: Reference, member: MemberId) -> str:
    return f"void:{of}:{member}"
