"""A purchase paid from several purses: all parts are captured, or what was authorized is voided."""

from __future__ import annotations

from typing import Any

import pytest

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


PARTS = [{"order_id": "a", "points": 20}, {"order_id": "b", "points": 30}]


def test_all_parts_are_captured_once_all_are_authorized() -> None:
    till = Till({})
    assert pay_together(till, PARTS, "key") == "captured"  # type: ignore[arg-type]
    assert till.sent == ["/v1/authorizations/bulk", "/v1/authorizations/a/capture", "/v1/authorizations/b/capture"]


@pytest.mark.parametrize("how", ["refused", None], ids=["by the ledger", "at once"])
def test_one_part_refused_voids_the_others(how: str | None) -> None:
    till = Till({"b": how})
    assert pay_together(till, PARTS, "key") == "voided"  # type: ignore[arg-type]
    assert till.sent == ["/v1/authorizations/bulk", "/v1/authorizations/a/void"]
