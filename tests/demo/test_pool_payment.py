"""A purchase paid from several purses: all parts are captured, or what was authorized is voided."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.brand_signer.register_writer import RegisterWriter, capture_record, void_record
from scripts.demo.pool_payment import pay_together


class Till:
    """Answers as the gateway would; `refuses` names the order ids whose authorization ends refused, or is not even accepted."""

    def __init__(self, refuses: dict[str, str | None]) -> None:
        self.refuses = refuses
        self.sent: list[str] = []

    def post(self, path: str, body: Any, key: str) -> Any:
        self.sent.append(path)
        if path == "/v1/authorizations/bulk":
            return {"results": [{"operation": self._operation(one["order_id"])} for one in body["authorizations"]]}
        return {"operation": {"operation_id": key, "status": "confirmed"}}

    def get(self, path: str) -> Any:
        order = path.rpartition("/")[2]
        return {"operation_id": order, "reservation_id": order, "status": self.refuses.get(order, "confirmed")}

    def _operation(self, order: str) -> dict[str, Any] | None:
        return None if order in self.refuses and self.refuses[order] is None else {"operation_id": order, "status": "accepted"}


ANN, BOB = "0x" + "0a" * 20, "0x" + "0b" * 20
PARTS = [{"order_id": "a", "member_id": ANN, "points": 20}, {"order_id": "b", "member_id": BOB, "points": 30}]


def paid(till: Till, register: Path) -> str:
    writer = RegisterWriter(register)
    with closing(writer):
        return pay_together(till, writer, PARTS, "key")  # type: ignore[arg-type]


def test_all_parts_are_captured_once_all_are_authorized(tmp_path: Path) -> None:
    till = Till({})
    assert paid(till, tmp_path / "sales.jsonl") == "captured"
    assert till.sent == ["/v1/authorizations/bulk", "/v1/authorizations/a/capture", "/v1/authorizations/b/capture"]
    lines = [json.loads(line) for line in (tmp_path / "sales.jsonl").read_text().splitlines()]
    assert lines == [capture_record("a", "a", ANN, 20), capture_record("b", "b", BOB, 30)]


@pytest.mark.parametrize("how", ["refused", None], ids=["by the ledger", "at once"])
def test_one_part_refused_voids_the_others(tmp_path: Path, how: str | None) -> None:
    till = Till({"b": how})
    assert paid(till, tmp_path / "sales.jsonl") == "voided"
    assert till.sent == ["/v1/authorizations/bulk", "/v1/authorizations/a/void"]
    assert json.loads((tmp_path / "sales.jsonl").read_text()) == void_record("a", "a", ANN)
