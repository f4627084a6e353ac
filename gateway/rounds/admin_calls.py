"""What the operator relays or proposes: brands and members as calls of the points ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass

from gateway.chain.artifacts import points_ledger
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
    SetExposureOperation,
    WaitingAct,
)

ENROLLMENTS_IN_ONE_TRANSACTION = 100


@dataclass(frozen=True, slots=True)
class AdminCall:
    """One call of the points ledger and the operations it carries out; `is_act`: by governance, to which it is proposed first."""

    purpose: str
    is_act: bool
    data: bytes
    gas: int
    sequences: tuple[int, ...]


def admin_calls(waiting: Iterable[WaitingAct]) -> Iterator[AdminCall]:
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
            yield _change_brand(each.sequence, operation)
    if enrolling:
        yield _enroll(enrolling)


def _enroll(enrolling: list[tuple[int, EnrollOperation]]) -> AdminCall:
    enrollments = [(operation.kind, operation.authorizer, operation.salt) for _, operation in enrolling]
    gas = 50_000 + ENROLL_GAS * len(enrolling)
    return AdminCall("enroll", False, points_ledger().call("enroll", enrollments), gas, tuple(sequence for sequence, _ in enrolling))


def _change_brand(sequence: int, operation: BrandOperation) -> AdminCall:
    """A registration is one call: all of it or nothing."""
    purpose, brand_id, ledger = KINDS[type(operation)].value, operation.brand_id, points_ledger()
    is_act = True
    match operation:
        case RegisterBrandOperation():
            window = operation.key_valid_from, operation.key_valid_until, False
            owner, limit, terms = operation.owner_address, operation.issue_limit, astuple(operation.terms)
            data = ledger.call("registerBrand", (brand_id, owner, limit, terms, operation.key_address, window))
        case SetBrandLimitOperation():
            data = ledger.call("setBrandLimit", brand_id, operation.issue_limit)
        case SetBrandStatusOperation():
            data = ledger.call("setBrandStatus", brand_id, int(operation.status))
        case SetBrandTermsOperation():
            is_act, data = False, ledger.call("setBrandTerms", brand_id, astuple(operation.terms), astuple(operation.signed))
        case SetBrandKeyOperation():
            window = operation.valid_from, operation.valid_until, False
            is_act, data = False, ledger.call("setBrandKey", brand_id, operation.key_address, window, astuple(operation.signed))
        case SetExposureOperation():
            exposure = operation.issuer_id, operation.most
            is_act, data = False, ledger.call("setExposure", brand_id, *exposure, astuple(operation.signed))
    return AdminCall(purpose, is_act, data, REGISTER_GAS, (sequence,))
