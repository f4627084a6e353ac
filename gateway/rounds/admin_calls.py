"""The operator's own transactions: brands and members as calls of the contracts; what belongs together is one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.chain.artifacts import access_manager, points_ledger
from gateway.rounds.gas import ENROLL_GAS, REGISTER_GAS
from gateway.rounds.tables import OperationRow

ENROLLMENTS_IN_ONE_TRANSACTION = 100
ADMIN_KINDS = ("enroll", "register_brand", "set_brand_terms", "set_brand_limit", "set_brand_status", "set_brand_key")
_STATUS_NUMBERS = {"active": 1, "suspended": 2, "exited": 3}


@dataclass(frozen=True, slots=True)
class AdminCall:
    """One transaction and the operations it carries out; `to_manager` says which of the two contracts it calls."""

    purpose: str
    to_manager: bool
    data: bytes
    gas: int
    sequences: tuple[int, ...]


def admin_calls(operations: Iterable[OperationRow], points_address: str) -> Iterator[AdminCall]:
    """Calls in the operations' sequence; neighbouring enrolments share a transaction."""
    enrolling: list[OperationRow] = []
    for operation in operations:
        if enrolling and (operation.kind != "enroll" or len(enrolling) == ENROLLMENTS_IN_ONE_TRANSACTION):
            yield _enroll(enrolling)
            enrolling = []
        if operation.kind == "enroll":
            enrolling.append(operation)
        else:
            yield _change_brand(operation, points_address)
    if enrolling:
        yield _enroll(enrolling)


def _enroll(operations: list[OperationRow]) -> AdminCall:
    bodies = [json.loads(operation.body) for operation in operations]
    enrollments = [(body["kind"], _bytes(body["authorizer"]), _bytes(body["salt"])) for body in bodies]
    gas = 50_000 + ENROLL_GAS * len(operations)
    sequences = tuple(operation.sequence for operation in operations)
    return AdminCall("enroll", False, points_ledger().call("enroll", enrollments), gas, sequences)


def _change_brand(operation: OperationRow, points_address: str) -> AdminCall:
    """A registration is three calls in one: all of them or none."""
    body = json.loads(operation.body)
    brand_id = body["brand_id"]
    match operation.kind:
        case "register_brand":
            calls = [
                points_ledger().call("registerBrand", brand_id, body["issue_limit"]),
                points_ledger().call("setBrandTerms", brand_id, _terms(body)),
                points_ledger().call("setBrandKey", brand_id, *_key(body, "key_valid_from", "key_valid_until")),
            ]
            executions = [access_manager().call("execute", points_address, call) for call in calls]
            return AdminCall(operation.kind, True, access_manager().call("multicall", executions), REGISTER_GAS, (operation.sequence,))
        case "set_brand_terms":
            data = points_ledger().call("setBrandTerms", brand_id, _terms(body))
        case "set_brand_limit":
            data = points_ledger().call("setBrandLimit", brand_id, body["issue_limit"])
        case "set_brand_status":
            data = points_ledger().call("setBrandStatus", brand_id, _STATUS_NUMBERS[body["status"]])
        case "set_brand_key":
            data = points_ledger().call("setBrandKey", brand_id, *_key(body, "valid_from", "valid_until"))
        case _:
            raise ValueError(f"operation {operation.operation_id}: no transaction for kind {operation.kind!r}")
    return AdminCall(operation.kind, False, data, REGISTER_GAS, (operation.sequence,))


def _terms(body: dict[str, Any]) -> tuple[int, int, int, int]:
    return body["par_numerator"], body["par_denominator"], body["redemption_numerator"], body["redemption_denominator"]


def _key(body: dict[str, Any], valid_from: str, valid_until: str) -> tuple[str, int, int]:
    return body["key_address"], body[valid_from], body[valid_until]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
