"""What the operator relays or proposes: calls of the registers of brands and members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass

from gateway.chain.artifacts import brands, governance, members, points_ledger
from gateway.coalition.coalition import Coalition
from gateway.ledger.governance import NO_PREDECESSOR, REPLACEMENT_DELAYS
from gateway.ledger.governing import (
    GoverningOperation,
    HandBrandOverOperation,
    RearmPauseOperation,
    ReplaceGuardianOperation,
    ReplaceOperatorOperation,
    SetApproversOperation,
    SetBrandOwnerOperation,
    StartRunOffOperation,
    UpdateDelayOperation,
    VetoActOperation,
)
from gateway.ledger.member_acts import AuthorizerChange, Grant, SpendLock, Veto, delayed_act_arguments
from gateway.rounds.brand_operation import (
    BrandOperation,
    RegisterBrandOperation,
    SetBrandKeyOperation,
    SetBrandLimitOperation,
    SetBrandStatusOperation,
    SetBrandTermsOperation,
    SetExposureOperation,
)
from gateway.rounds.gas import ENROLL_GAS, MEMBER_ACT_GAS, REGISTER_GAS
from gateway.rounds.member_operation import ExecuteMemberActOperation, MemberActOperation
from gateway.rounds.operation import KINDS, EnrollOperation, WaitingAct
from gateway.values.ids import Address

ENROLLMENTS_IN_ONE_TRANSACTION = 100


@dataclass(frozen=True, slots=True)
class AdminCall:
    """One call of a contract and the operations it carries out; `is_act`: by governance, to which it is proposed first."""

    purpose: str
    is_act: bool
    target: Address
    data: bytes
    gas: int
    sequences: tuple[int, ...]
    delays: int = 1  # how many delays an act waits


def admin_calls(waiting: Iterable[WaitingAct], coalition: Coalition) -> Iterator[AdminCall]:
    """Calls in the operations' sequence; neighbouring enrolments share a transaction."""
    enrolling: list[tuple[int, EnrollOperation]] = []
    for each in waiting:
        operation = each.operation
        if enrolling and (not isinstance(operation, EnrollOperation) or len(enrolling) == ENROLLMENTS_IN_ONE_TRANSACTION):
            yield _enroll(enrolling, coalition.members_address)
            enrolling = []
        if isinstance(operation, EnrollOperation):
            enrolling.append((each.sequence, operation))
        elif isinstance(operation, MemberActOperation | ExecuteMemberActOperation):
            yield _act_for_member(each.sequence, operation, coalition.members_address)
        elif isinstance(operation, GoverningOperation):
            yield _govern(each.sequence, operation, coalition)
        else:
            yield _change_brand(each.sequence, operation, coalition.brands_address)
    if enrolling:
        yield _enroll(enrolling, coalition.members_address)


def _enroll(enrolling: list[tuple[int, EnrollOperation]], target: Address) -> AdminCall:
    enrollments = [(operation.kind, operation.authorizer, operation.salt) for _, operation in enrolling]
    gas = 50_000 + ENROLL_GAS * len(enrolling)
    sequences = tuple(sequence for sequence, _ in enrolling)
    return AdminCall("enroll", False, target, members().call("enroll", enrollments), gas, sequences)


def _act_for_member(sequence: int, operation: MemberActOperation | ExecuteMemberActOperation, target: Address) -> AdminCall:
    purpose, register = KINDS[type(operation)].value, members()
    if isinstance(operation, ExecuteMemberActOperation):
        data = register.call("executeAct", delayed_act_arguments(operation.act))
        return AdminCall(purpose, False, target, data, MEMBER_ACT_GAS, (sequence,))
    act, proof = operation.act, (operation.proof_kind, operation.proof)
    match act:
        case AuthorizerChange():
            data = register.call("changeAuthorizers", astuple(act), *proof)
        case Grant():
            data = register.call("setGrant", astuple(act), *proof)
        case SpendLock():
            data = register.call("lockSpending", *astuple(act), *proof)
        case Veto():
            data = register.call("vetoAct", act.act, *proof)
        case _:
            data = register.call("requestAct", delayed_act_arguments(act), *proof)
    return AdminCall(purpose, False, target, data, MEMBER_ACT_GAS, (sequence,))


def _change_brand(sequence: int, operation: BrandOperation, target: Address) -> AdminCall:
    """A registration is one call: all of it or nothing."""
    purpose, brand_id, register = KINDS[type(operation)].value, operation.brand_id, brands()
    is_act = True
    match operation:
        case RegisterBrandOperation():
            window = operation.key_valid_from, operation.key_valid_until, operation.managed
            owner, limit, terms = operation.owner_address, operation.issue_limit, astuple(operation.terms)
            data = register.call("registerBrand", (brand_id, owner, limit, terms, operation.key_address, window))
        case SetBrandLimitOperation():
            data = register.call("setBrandLimit", brand_id, operation.issue_limit)
        case SetBrandStatusOperation():
            data = register.call("setBrandStatus", brand_id, int(operation.status))
        case SetBrandTermsOperation():
            is_act, data = False, register.call("setBrandTerms", brand_id, astuple(operation.terms), astuple(operation.signed))
        case SetBrandKeyOperation():
            window = operation.valid_from, operation.valid_until, operation.managed
            is_act, data = False, register.call("setBrandKey", brand_id, operation.key_address, window, astuple(operation.signed))
        case SetExposureOperation():
            exposure = operation.issuer_id, operation.most
            is_act, data = False, register.call("setExposure", brand_id, *exposure, astuple(operation.signed))
    return AdminCall(purpose, is_act, target, data, REGISTER_GAS, (sequence,))


def _govern(sequence: int, operation: GoverningOperation, coalition: Coalition) -> AdminCall:
    """What governance is asked to do, or to stop doing by a brand's owner."""
    of_brands, of_governance, governed = coalition.brands_address, coalition.governance_address, governance()
    is_act, delays = True, 1
    match operation:
        case HandBrandOverOperation(brand_id=brand_id, owner_address=owner, signed=signed, accepted=accepted):
            to = owner, operation.issues_no_more
            is_act, target, data = False, of_brands, brands().call("handOver", brand_id, *to, astuple(signed), accepted)
        case StartRunOffOperation(brand_id=brand_id, last_day=last_day):
            target, data = of_brands, brands().call("startRunOff", brand_id, last_day)
        case SetBrandOwnerOperation(brand_id=brand_id, owner_address=owner):
            target, data = of_brands, brands().call("setBrandOwner", brand_id, owner)
        case RearmPauseOperation():
            target, data = coalition.points_address, points_ledger().call("rearmPause")
        case SetApproversOperation(approvers=approvers, needed=needed):
            target, data = of_governance, governed.call("setApprovers", approvers, needed)
        case ReplaceGuardianOperation(account=account):
            target, data, delays = of_governance, governed.call("replaceGuardian", account), REPLACEMENT_DELAYS
        case ReplaceOperatorOperation(account=account):
            target, data = of_governance, governed.call("replaceOperator", account)
        case UpdateDelayOperation(delay_seconds=delay):
            target, data = of_governance, governed.call("updateDelay", delay)
        case VetoActOperation():
            act = operation.target, 0, operation.data, NO_PREDECESSOR, operation.salt
            is_act, target, data = False, of_governance, governed.call("veto", *act, operation.signature)
    return AdminCall(KINDS[type(operation)].value, is_act, target, data, REGISTER_GAS, (sequence,), delays)
