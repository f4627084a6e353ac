"""The operator's own transactions: brands and members as calls of the contracts; what belongs together is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.chain.artifacts import access_manager, points_ledger
from gateway.rounds.gas import ENROLL_GAS, REGISTER_GAS
from gateway.rounds.operation import (
    KINDS,
    BrandOperation,
    EnrollOperation,
    RegisterBrandOperation,
    SetBrandKeyOperation,
    SetBrandLimitOperation,
    SetBrandStatusOperation,
    SetBrandTermsOperation,
    WaitingAct,
)
from gateway.values.ids import Address
from gateway.values.money import Ratio

ENROLLMENTS_IN_ONE_TRANSACTION = 100


@dataclass(frozen=True, slots=True)
class AdminCall:
    """One transaction and the operations it carries out; `to_manager` says which of the two contracts it calls."""

    purpose: str
    to_manager: bool
    data: bytes
    gas: int
    sequences: tuple[int, ...]


def admin_calls(waiting: Iterable[WaitingAct], points_address: Address) -> Iterator[AdminCall]:
    """Calls in the operations' sequence; neighbouring enrolments share a transaction."""
    enrolling: list[tuple[int, EnrollOperation]] = []
    for each in waiting:
        operation = each.operation
        if enrolling and (not isinstance(operation, EnrollOperation) or len(enrolling) == ENROLLMENTS_IN_ONE_TRANSACTION):
            yield _enroll(enrolling)
            enrolling = []
        if isinstance(operation, EnrollOperation):
            enrolling.append((each.sequence, operation))
        else:
            yield _change_brand(each.sequence, operation, points_address)
    if enrolling:
        yield _enroll(enrolling)


def _enroll(enrolling: list[tuple[int, EnrollOperation]]) -> AdminCall:
    enrollments = [(operation.kind, operation.authorizer, operation.salt) for _, operation in enrolling]
    gas = 50_000 + ENROLL_GAS * len(enrolling)
    return AdminCall("enroll", False, points_ledger().call("enroll", enrollments), gas, tuple(sequence for sequence, _ in enrolling))


def _change_brand(sequence: int, operation: BrandOperation, points_address: Address) -> AdminCall:
    """A registration is three calls in one: all of them or none."""
    purpose, brand_id, ledger = KINDS[type(operation)].value, operation.brand_id, points_ledger()
    match operation:
        case RegisterBrandOperation():
            key = operation.key_address, operation.key_valid_from, operation.key_valid_until
            calls = [
                ledger.call("registerBrand", brand_id, operation.issue_limit),
                ledger.call("setBrandTerms", brand_id, _terms(operation.par, operation.redemption)),
                ledger.call("setBrandKey", brand_id, *key),
            ]
            executions = [access_manager().call("execute", points_address, call) for call in calls]
            return AdminCall(purpose, True, access_manager().call("multicall", executions), REGISTER_GAS, (sequence,))
        case SetBrandTermsOperation():
            data = ledger.call("setBrandTerms", brand_id, _terms(operation.par, operation.redemption))
        case SetBrandLimitOperation():
            data = ledger.call("setBrandLimit", brand_id, operation.issue_limit)
        case SetBrandStatusOperation():
            data = ledger.call("setBrandStatus", brand_id, int(operation.status))
        case SetBrandKeyOperation():
            data = ledger.call("setBrandKey", brand_id, operation.key_address, operation.valid_from, operation.valid_until)
    return AdminCall(purpose, False, data, REGISTER_GAS, (sequence,))


def _terms(par: Ratio, redemption: Ratio) -> tuple[int, int, int, int]:
    return par.numerator, par.denominator, redemption.numerator, redemption.denominator
